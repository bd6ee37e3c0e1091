"""Reports as pages: one file of HTML that needs no network, for people to look at. What a job found, drawn and in words."""
