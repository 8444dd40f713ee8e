-- Infant supernovae with few points
--
-- Supernovae of any type within three days of the first detection, for the first spectra. The bits
-- are low by nature with so few points, so they are not asked for: many of these will be something
-- else.
--
-- Lets through, of the simulated rows: infant

-- SELECT
objects.objectId, objects.ramean, objects.decmean,
JSON_EXTRACT(mytopic.classdict, "$.snia") AS snia,
JSON_EXTRACT(mytopic.classdict, "$.snii") AS snii,
JSON_EXTRACT(mytopic.classdict, "$.snibc") AS snibc,
JSON_EXTRACT(mytopic.classdict, "$.n_points") AS n_points,
JSON_EXTRACT(mytopic.classdict, "$.days") AS days,
sherlock_classifications.classification AS sherlock

-- TABLES
objects, sherlock_classifications, annotator:mytopic

-- WHERE
JSON_EXTRACT(mytopic.classdict, "$.n_points") <= 4
AND JSON_EXTRACT(mytopic.classdict, "$.days") < 3
AND COALESCE(JSON_EXTRACT(mytopic.classdict, "$.snia"), 0)
  + COALESCE(JSON_EXTRACT(mytopic.classdict, "$.snii"), 0)
  + COALESCE(JSON_EXTRACT(mytopic.classdict, "$.snibc"), 0) > 0.7
AND sherlock_classifications.classification IN ("SN", "NT", "ORPHAN")
AND objects.jdmax > jdnow() - 3
