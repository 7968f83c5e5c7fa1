"""The facade: every face acts through `CDP`, which checks access, acts and audits."""
