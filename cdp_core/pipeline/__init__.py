"""The stations between the profiles and the ledger: prepare, plan (compare), deliver, ledger."""
