"""The groups of columns that a snapshot may lack (``snapshot.groups``), from what other rooms read."""
