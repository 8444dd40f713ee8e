-- Fast faders for kilonova follow-up
--
-- A kilonova loses half a magnitude a day. What fades faster than 0.3 magnitudes a day within ten
-- days of its first detection, and is neither a nucleus nor a star, is worth a look whatever its
-- class; if the bundle knows kilonovae, kn is their probability.
--
-- Lets through, of the simulated rows: fast-fader

-- SELECT
objects.diaObjectId, objects.ra, objects.decl,
JSON_EXTRACT(mytopic.classdict, "$.fade") AS fade,
JSON_EXTRACT(mytopic.classdict, "$.kn") AS kn,
JSON_EXTRACT(mytopic.classdict, "$.n_points") AS n_points,
JSON_EXTRACT(mytopic.classdict, "$.days") AS days,
sherlock_classifications.classification AS sherlock

-- TABLES
objects, sherlock_classifications, annotator:mytopic

-- WHERE
JSON_EXTRACT(mytopic.classdict, "$.fade") > 0.3
AND JSON_EXTRACT(mytopic.classdict, "$.days") < 10
AND COALESCE(JSON_EXTRACT(mytopic.classdict, "$.agn"), 0) < 0.3
AND sherlock_classifications.classification NOT IN ("VS", "CV", "BS", "AGN")
AND objects.lastDiaSourceMjdTai > mjdnow() - 3
