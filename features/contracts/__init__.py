"""The one vocabulary: columns, ids, event types, catalogue, configuration loading and the error tree."""
