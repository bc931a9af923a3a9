"""`parcours demo`: the example journeys on real servers, five weeks in about two minutes."""
