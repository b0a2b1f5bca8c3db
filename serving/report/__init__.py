"""One self-contained HTML file of tagged reports: profile, strip map, annotated text, leaves, comparison."""
