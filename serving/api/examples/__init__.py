"""Answers for the OpenAPI document: of a real server over the demo's sample, shortened, as of a later day."""
