"""mysqlclient, which is imported as MySQLdb."""
