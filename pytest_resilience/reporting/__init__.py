"""What people see of a test: settings, the servers it used, findings, sections of a report."""
