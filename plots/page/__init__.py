"""The report: report.html, one file with everything inside."""
