-- The roles, run by the superuser in the database shop. Nothing in here fails when it is run again.
SELECT format('CREATE ROLE shop_admin LOGIN PASSWORD %L', :'admin_password')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_admin') \gexec
SELECT format('CREATE ROLE shop_ui LOGIN PASSWORD %L', :'ui_password')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_ui') \gexec

-- The admin makes the tables; the UI reads them, those to come as well.
ALTER SCHEMA public OWNER TO shop_admin;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_admin IN SCHEMA public GRANT SELECT ON TABLES TO shop_ui;
