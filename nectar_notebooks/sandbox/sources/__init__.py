"""Where records come from: the demo portfolio, the mock utility, bills as PDF."""
