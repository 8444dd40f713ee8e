-- SLSN-I candidates
--
-- Superluminous supernovae are rare, rise slowly and often have a host too faint for a catalogue;
-- so no host is asked for, and two weeks of rise are.
--
-- Lets through, of the simulated rows: slsn

-- SELECT
objects.diaObjectId, objects.ra, objects.decl,
JSON_EXTRACT(mytopic.classdict, "$.slsn_i") AS slsn_i,
JSON_EXTRACT(mytopic.classdict, "$.ep_slsn_i") AS ep_slsn_i,
JSON_EXTRACT(mytopic.classdict, "$.bits") AS bits,
JSON_EXTRACT(mytopic.classdict, "$.n_points") AS n_points,
JSON_EXTRACT(mytopic.classdict, "$.days") AS days,
sherlock_classifications.classification AS sherlock

-- TABLES
objects, sherlock_classifications, annotator:mytopic

-- WHERE
JSON_EXTRACT(mytopic.classdict, "$.ep_slsn_i") > 0.5
AND JSON_EXTRACT(mytopic.classdict, "$.bits") > 0.7
AND JSON_EXTRACT(mytopic.classdict, "$.days") > 14
AND sherlock_classifications.classification NOT IN ("VS", "CV", "BS", "AGN")
AND objects.lastDiaSourceMjdTai > mjdnow() - 10
