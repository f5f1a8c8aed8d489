"""What happens in the embedded sandbox as time passes, by scenario, or between two pages."""
