-- Young SNe Ia for cosmology
--
-- SNe Ia caught before or around maximum, early enough for spectra and a full light curve. The
-- bits keep out what is called SNIa only because SNIa are frequent; the days and the fade keep out
-- old ones.
--
-- Lets through, of the simulated rows: young-snia

-- SELECT
objects.diaObjectId, objects.ra, objects.decl,
JSON_EXTRACT(mytopic.classdict, "$.snia") AS snia,
JSON_EXTRACT(mytopic.classdict, "$.bits") AS bits,
JSON_EXTRACT(mytopic.classdict, "$.n_points") AS n_points,
JSON_EXTRACT(mytopic.classdict, "$.days") AS days,
sherlock_classifications.classification AS sherlock

-- TABLES
objects, sherlock_classifications, annotator:mytopic

-- WHERE
JSON_EXTRACT(mytopic.classdict, "$.snia") > 0.6
AND JSON_EXTRACT(mytopic.classdict, "$.bits") > 0.5
AND JSON_EXTRACT(mytopic.classdict, "$.n_points") BETWEEN 3 AND 15
AND JSON_EXTRACT(mytopic.classdict, "$.days") < 20
AND COALESCE(JSON_EXTRACT(mytopic.classdict, "$.fade"), 0) < 0.03
AND sherlock_classifications.classification NOT IN ("VS", "CV", "BS", "AGN")
AND objects.lastDiaSourceMjdTai > mjdnow() - 7
