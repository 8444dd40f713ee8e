-- TDE candidates
--
-- Tidal disruption events are so rare that they are seldom the most probable class early on. Their
-- probability as if all classes were equally frequent (ep_tde) is not held down by that. They sit
-- in the centre of their host.
--
-- Lets through, of the simulated rows: tde

-- SELECT
objects.objectId, objects.ramean, objects.decmean,
JSON_EXTRACT(mytopic.classdict, "$.tde") AS tde,
JSON_EXTRACT(mytopic.classdict, "$.ep_tde") AS ep_tde,
JSON_EXTRACT(mytopic.classdict, "$.bits") AS bits,
JSON_EXTRACT(mytopic.classdict, "$.n_points") AS n_points,
JSON_EXTRACT(mytopic.classdict, "$.days") AS days,
sherlock_classifications.classification AS sherlock

-- TABLES
objects, sherlock_classifications, annotator:mytopic

-- WHERE
JSON_EXTRACT(mytopic.classdict, "$.ep_tde") > 0.5
AND JSON_EXTRACT(mytopic.classdict, "$.bits") > 0.7
AND JSON_EXTRACT(mytopic.classdict, "$.n_points") >= 5
AND sherlock_classifications.separationArcsec < 1.5
AND sherlock_classifications.classification NOT IN ("VS", "CV", "BS")
AND objects.jdmax > jdnow() - 10
