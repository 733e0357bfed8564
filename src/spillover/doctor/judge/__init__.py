"""Turn facts into findings: pure, so that what is said on Windows is tested on Linux."""
