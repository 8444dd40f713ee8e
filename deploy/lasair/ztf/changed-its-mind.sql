-- Changed its mind
--
-- Objects whose class is another since the newest alert, and now fairly certain. What was said
-- before is in the annotation, as Lasair itself keeps no history of it.
--
-- Lets through, of the simulated rows: changed

-- SELECT
objects.objectId, objects.ramean, objects.decmean,
JSON_EXTRACT(mytopic.classdict, "$.top_class") AS top_class,
JSON_EXTRACT(mytopic.classdict, "$.top_p") AS top_p,
JSON_EXTRACT(mytopic.classdict, "$.previous_class") AS previous_class,
JSON_EXTRACT(mytopic.classdict, "$.previous_p") AS previous_p,
JSON_EXTRACT(mytopic.classdict, "$.n_changes") AS n_changes

-- TABLES
objects, annotator:mytopic

-- WHERE
JSON_EXTRACT(mytopic.classdict, "$.n_changes") >= 1
AND JSON_EXTRACT(mytopic.classdict, "$.changed_mjd") = JSON_EXTRACT(mytopic.classdict, "$.mjd")
AND JSON_EXTRACT(mytopic.classdict, "$.top_p") > 0.6
AND objects.jdmax > jdnow() - 7
