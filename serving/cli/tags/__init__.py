"""The commands of ``mallard tags``, one file for each thing people do."""
