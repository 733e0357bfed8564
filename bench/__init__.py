"""The bench: what Spillover costs beside others, on one machine, in one run."""
