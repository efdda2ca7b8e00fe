"""Answers that are computed from the fact tables: fees, comparison, eligibility, getting paid."""
