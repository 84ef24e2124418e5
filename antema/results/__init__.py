"""What the results of a sample are: their numbers, what people excluded, what has changed since. No page, no report."""
