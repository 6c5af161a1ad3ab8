/* For test_sqlstate.c: real messages of libpq 15 against PostgreSQL 15 (C, French, Russian, German,
 * Japanese and Spanish lc_messages) and PgBouncer 1.18, printed with PQERRORS_VERBOSE; only ports
 * and paths were shortened. */
static const struct {
    const char *message, *sqlstate;
    enum em_db_class class;
    const char *brief;
} cases[] = {
    {"connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n"
     "\tIs the server running on that host and accepting TCP/IP connections?\n",
     "", EM_DB_RETRY, "Connection refused"},
    {"connection to server at \"localhost\" (127.0.0.1), port 1 failed: Connection refused\n"
     "\tIs the server running on that host and accepting TCP/IP connections?\n",
     "", EM_DB_RETRY, "Connection refused"},
    {"connection to server on socket \"/nonexistent/.s.PGSQL.5432\" failed: No such file or "
     "directory\n"
     "\tIs the server running locally and accepting connections on that socket?\n",
     "", EM_DB_RETRY, "No such file or directory"},
    {"could not translate host name \"no-such-host.invalid\" to address: Name or service not "
     "known\n",
     "", EM_DB_RETRY,
     "could not translate host name \"no-such-host.invalid\" to address: Name or service not "
     "known"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  28P01: password "
     "authentication failed for user \"md\"\n"
     "LOCATION:  auth_failed, auth.c:334\n"
     "connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  28P01: password "
     "authentication failed for user \"md\"\n"
     "LOCATION:  auth_failed, auth.c:334\n",
     "28P01", EM_DB_AUTH, "password authentication failed for user \"md\""},
    {"connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  28P01: password "
     "authentication failed for user \"sc\"\n"
     "LOCATION:  auth_failed, auth.c:334\n",
     "28P01", EM_DB_AUTH, "password authentication failed for user \"sc\""},
    {"connection to server at \"127.0.0.1\", port 5433 failed: fe_sendauth: no password supplied\n",
     "", EM_DB_FATAL, "no password supplied"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  28000: no pg_hba.conf "
     "entry for host \"127.0.0.1\", user \"nopw\", database \"postgres\", SSL encryption\n"
     "LOCATION:  ClientAuthentication, auth.c:544\n"
     "connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  28000: no pg_hba.conf "
     "entry for host \"127.0.0.1\", user \"nopw\", database \"postgres\", no encryption\n"
     "LOCATION:  ClientAuthentication, auth.c:544\n",
     "28000", EM_DB_AUTH,
     "no pg_hba.conf entry for host \"127.0.0.1\", user \"nopw\", database \"postgres\""},
    {"connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  28000: no pg_hba.conf "
     "entry for host \"127.0.0.1\", user \"nopw\", database \"postgres\", no encryption\n"
     "LOCATION:  ClientAuthentication, auth.c:544\n",
     "28000", EM_DB_AUTH,
     "no pg_hba.conf entry for host \"127.0.0.1\", user \"nopw\", database \"postgres\", no "
     "encryption"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  28000: pg_hba.conf "
     "rejects connection for host \"127.0.0.1\", user \"rej\", database \"postgres\", SSL "
     "encryption\n"
     "LOCATION:  ClientAuthentication, auth.c:476\n"
     "connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  28000: pg_hba.conf "
     "rejects connection for host \"127.0.0.1\", user \"rej\", database \"postgres\", no "
     "encryption\n"
     "LOCATION:  ClientAuthentication, auth.c:476\n",
     "28000", EM_DB_AUTH,
     "pg_hba.conf rejects connection for host \"127.0.0.1\", user \"rej\", database \"postgres\""},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  28000: Peer "
     "authentication failed for user \"peerless\"\n"
     "LOCATION:  auth_failed, auth.c:334\n",
     "28000", EM_DB_AUTH, "Peer authentication failed for user \"peerless\""},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  28000: role "
     "\"nolog\" is not permitted to log in\n"
     "LOCATION:  InitializeSessionUserId, miscinit.c:821\n",
     "28000", EM_DB_AUTH, "role \"nolog\" is not permitted to log in"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  3D000: database "
     "\"missing\" does not exist\n"
     "LOCATION:  InitPostgres, postinit.c:948\n",
     "3D000", EM_DB_FATAL, "database \"missing\" does not exist"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  55000: database "
     "\"closed\" is not currently accepting connections\n"
     "LOCATION:  CheckMyDatabase, postinit.c:350\n",
     "55000", EM_DB_FATAL, "database \"closed\" is not currently accepting connections"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  42501: permission "
     "denied for database \"nc\"\n"
     "DETAIL:  User does not have CONNECT privilege.\n"
     "LOCATION:  CheckMyDatabase, postinit.c:363\n",
     "42501", EM_DB_FATAL,
     "permission denied for database \"nc\" (User does not have CONNECT privilege)"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  53300: too many "
     "connections for role \"rlim\"\n"
     "LOCATION:  InitializeSessionUserId, miscinit.c:842\n",
     "53300", EM_DB_RETRY, "too many connections for role \"rlim\""},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  53300: remaining "
     "connection slots are reserved for non-replication superuser connections\n"
     "LOCATION:  InitPostgres, postinit.c:886\n",
     "53300", EM_DB_RETRY,
     "remaining connection slots are reserved for non-replication superuser connections"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  53300: sorry, too many "
     "clients already\n"
     "LOCATION:  InitProcess, proc.c:357\n"
     "connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  53300: sorry, too many "
     "clients already\n"
     "LOCATION:  InitProcess, proc.c:357\n",
     "53300", EM_DB_RETRY, "sorry, too many clients already"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  42704: "
     "unrecognized configuration parameter \"nosuch\"\n"
     "LOCATION:  find_option, guc.c:5734\n",
     "42704", EM_DB_FATAL, "unrecognized configuration parameter \"nosuch\""},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  22023: invalid "
     "value for parameter \"work_mem\": \"xx\"\n"
     "LOCATION:  parse_and_validate_value, guc.c:7422\n",
     "22023", EM_DB_FATAL, "invalid value for parameter \"work_mem\": \"xx\""},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  42601: invalid "
     "command-line argument for server process: -z\n"
     "HINT:  Try \"postgres --help\" for more information.\n"
     "LOCATION:  process_postgres_switches, postgres.c:4001\n",
     "42601", EM_DB_FATAL,
     "invalid command-line argument for server process: -z (Try \"postgres --help\" for more "
     "information)"},
    {"invalid sslmode value: \"bogus\"\n", "", EM_DB_FATAL, "invalid sslmode value: \"bogus\""},
    {"invalid integer value \"abc\" for connection option \"port\"\n", "", EM_DB_FATAL,
     "invalid integer value \"abc\" for connection option \"port\""},
    {"invalid port number: \"99999\"\n", "", EM_DB_FATAL, "invalid port number: \"99999\""},
    {"could not match 2 port numbers to 3 hosts\n", "", EM_DB_FATAL,
     "could not match 2 port numbers to 3 hosts"},
    {"invalid SSL protocol version range\n", "", EM_DB_FATAL, "invalid SSL protocol version range"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: root certificate file "
     "\"/root/.postgresql/root.crt\" does not exist\n"
     "Either provide the file or change sslmode to disable server certificate verification.\n",
     "", EM_DB_FATAL,
     "root certificate file \"/root/.postgresql/root.crt\" does not exist (Either provide the "
     "file or change sslmode to disable server certificate verification)"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: SSL error: certificate verify "
     "failed\n",
     "", EM_DB_FATAL, "SSL error: certificate verify failed"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: server certificate for "
     "\"other.example\" does not match host name \"127.0.0.1\"\n",
     "", EM_DB_FATAL,
     "server certificate for \"other.example\" does not match host name \"127.0.0.1\""},
    {"connection to server at \"127.0.0.1\", port 5433 failed: certificate present, but not "
     "private key file \"/nonexistent\"\n",
     "", EM_DB_FATAL, "certificate present, but not private key file \"/nonexistent\""},
    {"connection to server at \"127.0.0.1\", port 5433 failed: private key file \"/etc/passwd\" "
     "has group or world access; file must have permissions u=rw (0600) or less if owned by the "
     "current user, or permissions u=rw,g=r (0640) or less if owned by root\n",
     "", EM_DB_FATAL,
     "private key file \"/etc/passwd\" has group or world access; file must have permissions "
     "u=rw (0600) or less if owned by the current user, or permissions u=rw,g=r (0640) or less "
     "if owned by root"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: could not read root certificate "
     "file \"/etc/passwd\": no certificate or crl found\n",
     "", EM_DB_FATAL,
     "could not read root certificate file \"/etc/passwd\": no certificate or crl found"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: server does not support SSL, but "
     "SSL was required\n",
     "", EM_DB_FATAL, "server does not support SSL, but SSL was required"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: SSL error: tlsv1 alert protocol "
     "version\n"
     "This may indicate that the server does not support any SSL protocol version between TLSv1 "
     "and TLSv1.1.\n",
     "", EM_DB_FATAL,
     "SSL error: tlsv1 alert protocol version (This may indicate that the server does not "
     "support any SSL protocol version between TLSv1 and TLSv1.1)"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: GSSAPI encryption required but "
     "was impossible (possibly no credential cache, no server support, or using a local socket)\n",
     "", EM_DB_FATAL,
     "GSSAPI encryption required but was impossible (possibly no credential cache, no server "
     "support, or using a local socket)"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: channel binding required, but SSL "
     "not in use\n",
     "", EM_DB_FATAL, "channel binding required, but SSL not in use"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: requirepeer specifies "
     "\"root\", but actual peer user name is \"postgres\"\n",
     "", EM_DB_FATAL, "requirepeer specifies \"root\", but actual peer user name is \"postgres\""},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: server is not in hot "
     "standby mode\n",
     "", EM_DB_RETRY, "server is not in hot standby mode"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: session is not read-only\n",
     "", EM_DB_RETRY, "session is not read-only"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: session is read-only\n"
     "connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: session is read-only\n",
     "", EM_DB_RETRY, "session is read-only"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: server is in hot standby "
     "mode\n",
     "", EM_DB_RETRY, "server is in hot standby mode"},
    {"definition of service \"nosuch\" not found\n", "", EM_DB_FATAL,
     "definition of service \"nosuch\" not found"},
    {"could not parse network address \"1.2.3.4.5\": Name or service not known\n", "", EM_DB_FATAL,
     "could not parse network address \"1.2.3.4.5\": Name or service not known"},
    {"unterminated quoted string in connection info string\n", "", EM_DB_FATAL,
     "unterminated quoted string in connection info string"},
    {"invalid connection option \"foo\"\n", "", EM_DB_FATAL, "invalid connection option \"foo\""},
    {"connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n"
     "\tIs the server running on that host and accepting TCP/IP connections?\n"
     "connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  28P01: password "
     "authentication failed for user \"sc\"\n"
     "LOCATION:  auth_failed, auth.c:334\n"
     "connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  28P01: password "
     "authentication failed for user \"sc\"\n"
     "LOCATION:  auth_failed, auth.c:334\n",
     "28P01", EM_DB_AUTH,
     "\"127.0.0.1\", port 1: Connection refused; \"127.0.0.1\", port 5433: password "
     "authentication failed for user \"sc\""},
    {"connection to server on socket \"/nonexistent/.s.PGSQL.5432\" failed: No such file or "
     "directory\n"
     "\tIs the server running locally and accepting connections on that socket?\n"
     "connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n"
     "\tIs the server running on that host and accepting TCP/IP connections?\n",
     "", EM_DB_RETRY,
     "\"/nonexistent/.s.PGSQL.5432\": No such file or directory; \"127.0.0.1\", port 1: "
     "Connection refused"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  57P03: the "
     "database system is starting up\n"
     "LOCATION:  ProcessStartupPacket, postmaster.c:2415\n",
     "57P03", EM_DB_RETRY, "the database system is starting up"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  57P03: the "
     "database system is shutting down\n"
     "LOCATION:  ProcessStartupPacket, postmaster.c:2432\n",
     "57P03", EM_DB_RETRY, "the database system is shutting down"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  57P03: the "
     "database system is not accepting connections\n"
     "DETAIL:  Hot standby mode is disabled.\n"
     "LOCATION:  ProcessStartupPacket, postmaster.c:2426\n",
     "57P03", EM_DB_RETRY,
     "the database system is not accepting connections (Hot standby mode is disabled)"},
    {"FATAL:  57P01: terminating connection due to administrator command\n"
     "LOCATION:  ProcessInterrupts, postgres.c:3211\n"
     "server closed the connection unexpectedly\n"
     "\tThis probably means the server terminated abnormally\n"
     "\tbefore or while processing the request.\n",
     "57P01", EM_DB_RETRY, "terminating connection due to administrator command"},
    {"ERROR:  57014: canceling statement due to statement timeout\n"
     "LOCATION:  ProcessInterrupts, postgres.c:3319\n",
     "57014", EM_DB_RETRY, "canceling statement due to statement timeout"},
    {"ERROR:  42P01: relation \"nosuch\" does not exist\n"
     "LINE 1: select * from nosuch\n"
     "                      ^\n"
     "LOCATION:  parserOpenTable, parse_relation.c:1392\n",
     "42P01", EM_DB_FATAL, "relation \"nosuch\" does not exist"},
    {"ERROR:  42501: permission denied for schema public\n"
     "LINE 1: create table x()\n"
     "                     ^\n"
     "LOCATION:  aclcheck_error, aclchk.c:3655\n",
     "42501", EM_DB_FATAL, "permission denied for schema public"},
    {"ERROR:  P0001: boom \n"
     "second line\n"
     "DETAIL:  d1\n"
     "HINT:  h1\n"
     "CONTEXT:  PL/pgSQL function inline_code_block line 1 at RAISE\n"
     "LOCATION:  exec_stmt_raise, pl_exec.c:3891\n",
     "P0001", EM_DB_RETRY, "boom second line (d1) (h1)"},
    {"ERROR:  25006: cannot execute CREATE TABLE in a read-only transaction\n"
     "LOCATION:  PreventCommandIfReadOnly, utility.c:414\n",
     "25006", EM_DB_RETRY, "cannot execute CREATE TABLE in a read-only transaction"},
    {"connection to server at \"127.0.0.1\", port 5434 failed: server closed the connection "
     "unexpectedly\n"
     "\tThis probably means the server terminated abnormally\n"
     "\tbefore or while processing the request.\n",
     "", EM_DB_RETRY, "server closed the connection unexpectedly"},
    {"connection to server at \"127.0.0.1\", port 5434 failed: Connection reset by peer\n"
     "\tIs the server running on that host and accepting TCP/IP connections?\n",
     "", EM_DB_RETRY, "Connection reset by peer"},
    {"connection to server at \"127.0.0.1\", port 5434 failed: expected authentication request "
     "from server, but received H\n",
     "", EM_DB_RETRY, "expected authentication request from server, but received H"},
    {"connection to server at \"127.0.0.1\", port 5434 failed: received invalid response to SSL "
     "negotiation: H\n",
     "", EM_DB_RETRY, "received invalid response to SSL negotiation: H"},
    {"connection to server at \"127.0.0.1\", port 5434 failed: could not fork new process for "
     "connection: Cannot allocate memory\n",
     "", EM_DB_RETRY, "could not fork new process for connection: Cannot allocate memory"},
    {"connection to server at \"127.0.0.1\", port 5434 failed: server sent an error response "
     "during SSL exchange\n",
     "", EM_DB_RETRY, "server sent an error response during SSL exchange"},
    {"connection to server at \"127.0.0.1\", port 5434 failed: SSL SYSCALL error: EOF detected\n",
     "", EM_DB_RETRY, "SSL SYSCALL error: EOF detected"},
    {"connection to server at \"127.0.0.1\", port 5434 failed: SSL SYSCALL error: EOF detected\n"
     "connection to server at \"127.0.0.1\", port 5434 failed: server closed the connection "
     "unexpectedly\n"
     "\tThis probably means the server terminated abnormally\n"
     "\tbefore or while processing the request.\n",
     "", EM_DB_RETRY, "SSL SYSCALL error: EOF detected; server closed the connection unexpectedly"},
    {"connection to server at \"127.0.0.1\", port 5434 failed: SSL error: wrong version number\n"
     "This may indicate that the server does not support any SSL protocol version between "
     "TLSv1.2 and TLSv1.3.\n",
     "", EM_DB_FATAL,
     "SSL error: wrong version number (This may indicate that the server does not support any "
     "SSL protocol version between TLSv1.2 and TLSv1.3)"},
    {"connection to server at \"127.0.0.1\", port 5434 failed: SSL error: wrong version number\n"
     "This may indicate that the server does not support any SSL protocol version between "
     "TLSv1.2 and TLSv1.3.\n"
     "connection to server at \"127.0.0.1\", port 5434 failed: Connection refused\n"
     "\tIs the server running on that host and accepting TCP/IP connections?\n",
     "", EM_DB_RETRY,
     "SSL error: wrong version number (This may indicate that the server does not support any "
     "SSL protocol version between TLSv1.2 and TLSv1.3); Connection refused"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: FATAL:  28P01: authentification "
     "par mot de passe échouée pour l'utilisateur  « sc »\n"
     "LOCATION:  auth_failed, auth.c:334\n",
     "28P01", EM_DB_AUTH, "authentification par mot de passe échouée pour l'utilisateur  « sc »"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  42501: droit "
     "refusé pour la base de données « nc »\n"
     "DETAIL:  L'utilisateur n'a pas le droit CONNECT.\n"
     "LOCATION:  CheckMyDatabase, postinit.c:363\n",
     "42501", EM_DB_FATAL,
     "droit refusé pour la base de données « nc » (L'utilisateur n'a pas le droit CONNECT)"},
    {"connection to server at \"127.0.0.1\", port 5433 failed: ВАЖНО:  28P01: пользователь "
     "\"sc\" не прошёл проверку подлинности (по паролю)\n"
     "LOCATION:  auth_failed, auth.c:334\n",
     "28P01", EM_DB_AUTH, "пользователь \"sc\" не прошёл проверку подлинности (по паролю)"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: ВАЖНО:  42501: доступ к "
     "базе \"nc\" запрещён\n"
     "DETAIL:  Пользователь не имеет привилегии CONNECT.\n"
     "LOCATION:  CheckMyDatabase, postinit.c:363\n",
     "42501", EM_DB_FATAL,
     "доступ к базе \"nc\" запрещён (Пользователь не имеет привилегии CONNECT)"},
    {"ОШИБКА:  42P01: отношение \"nosuch\" не существует\n"
     "LINE 1: select * from nosuch\n"
     "                      ^\n"
     "LOCATION:  parserOpenTable, parse_relation.c:1392\n",
     "42P01", EM_DB_FATAL, "отношение \"nosuch\" не существует"},
    {"FEHLER:  42P01: Relation »nosuch« existiert nicht\n"
     "LINE 1: select * from nosuch\n"
     "                      ^\n"
     "LOCATION:  parserOpenTable, parse_relation.c:1392\n",
     "42P01", EM_DB_FATAL, "Relation »nosuch« existiert nicht"},
    {"connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: FATAL:  3D000: "
     "データベース\"nix\"は存在しません\n"
     "LOCATION:  InitPostgres, postinit.c:948\n",
     "3D000", EM_DB_FATAL, "データベース\"nix\"は存在しません"},
    {"connection to server at \"127.0.0.1\", port 6432 failed: FATAL:  08P01: SASL "
     "authentication failed\n",
     "08P01", EM_DB_AUTH, "SASL authentication failed"},
    {"connection to server at \"127.0.0.1\", port 6432 failed: FATAL:  08P01: no such database: "
     "nix\n",
     "08P01", EM_DB_FATAL, "no such database: nix"},
    {"connection to server at \"127.0.0.1\", port 6432 failed: FATAL:  08P01: query_wait_timeout\n",
     "08P01", EM_DB_RETRY, "query_wait_timeout"},
    {"connection to server at \"127.0.0.1\", port 6432 failed: FATAL:  08P01: password "
     "authentication failed for user \"sc\"\n",
     "08P01", EM_DB_AUTH, "password authentication failed for user \"sc\""},
    {"connection to server at \"127.0.0.1\", port 6432 failed: FATAL:  08P01: database "
     "\"missing\" does not exist\n",
     "08P01", EM_DB_FATAL, "database \"missing\" does not exist"},
    {"connection to server at \"127.0.0.1\", port 6432 failed: FATAL:  08P01: unsupported "
     "startup parameter: options\n",
     "08P01", EM_DB_FATAL, "unsupported startup parameter: options"},
};
