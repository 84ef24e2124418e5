"""The history of the tables, applied by `antema.storage.database.Database.migrate`."""
