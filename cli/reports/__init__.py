"""How a simulation's report is shown: as text, as JSON, or as one page with pictures."""
