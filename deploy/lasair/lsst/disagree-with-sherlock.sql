-- We and Sherlock disagree
--
-- Sherlock tells from the catalogues what stands there, the classifier from the light curve what
-- goes on. Either a supernova where Sherlock has a star or an active nucleus, or an active nucleus
-- where it expects a supernova: one of them is wrong, or the object is worth a paper.
--
-- Lets through, of the simulated rows: sn-on-a-star, agn-in-a-galaxy

-- SELECT
objects.diaObjectId, objects.ra, objects.decl,
JSON_EXTRACT(mytopic.classdict, "$.top_class") AS top_class,
JSON_EXTRACT(mytopic.classdict, "$.top_p") AS top_p,
JSON_EXTRACT(mytopic.classdict, "$.bits") AS bits,
sherlock_classifications.classification AS sherlock

-- TABLES
objects, sherlock_classifications, annotator:mytopic

-- WHERE
((JSON_VALUE(mytopic.classdict, "$.top_class") IN ("snia", "snii", "snibc", "slsn_i")
    AND sherlock_classifications.classification IN ("VS", "CV", "BS", "AGN"))
   OR (JSON_VALUE(mytopic.classdict, "$.top_class") = "agn"
    AND sherlock_classifications.classification IN ("SN", "ORPHAN")))
AND JSON_EXTRACT(mytopic.classdict, "$.top_p") > 0.8
AND JSON_EXTRACT(mytopic.classdict, "$.bits") > 0.7
AND objects.lastDiaSourceMjdTai > mjdnow() - 7
