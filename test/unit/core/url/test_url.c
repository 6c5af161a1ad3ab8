#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "url_show.h"

struct example {
    const char *text, *shown;
};

static void check(const struct example *examples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        EM_STR_AUTO out = EM_STR_INIT;
        show(examples[i].text, NULL, &out);
        if (strcmp(em_str_c(&out), examples[i].shown) != 0)
            fail_msg("%s\n  gives    %s\n  expected %s", examples[i].text, em_str_c(&out),
                     examples[i].shown);
    }
}
#define CHECK(examples) check(examples, sizeof(examples) / sizeof *(examples))

/* ---- URIs ---- */

static void schemes(void **state)
{
    static const struct example examples[] = {
        {"postgres://u:p@h/d", "user=[u] password=[p] host=[h] dbname=[d]"},
        {"postgresql://u:p@h/d", "user=[u] password=[p] host=[h] dbname=[d]"},
        {"POSTGRES://u:p@h/d", "user=[u] password=[p] host=[h] dbname=[d]"},
        {"PostgreSQL+AsyncPG://u:p@h/d", "user=[u] password=[p] host=[h] dbname=[d]"},
        {"postgresql+psycopg2://u:p@h/d", "user=[u] password=[p] host=[h] dbname=[d]"},
        {"postgres+asyncpg://u:p@h/d", "user=[u] password=[p] host=[h] dbname=[d]"},
        {"postgis://h/d", "host=[h] dbname=[d]"},
        {"pgsql://h/d", "host=[h] dbname=[d]"},
        /* golang-migrate, tortoise-orm, node-postgres, peewee, JRuby */
        {"pgx5://u:p@h/d", "user=[u] password=[p] host=[h] dbname=[d]"},
        {"pgx://h/d", "host=[h] dbname=[d]"},
        {"asyncpg://h/d", "host=[h] dbname=[d]"},
        {"pg://h/d", "host=[h] dbname=[d]"},
        {"postgresqlext+pool://h/d", "host=[h] dbname=[d]"},
        {"jdbcpostgresql://h/d", "host=[h] dbname=[d]"},
        /* PHP's PDO */
        {"pgsql:host=h;port=5433;dbname=d;user=u;password=p",
         "host=[h] port=[5433] dbname=[d] user=[u] password=[p]"},
        {"pgsql:host=/run/pg dbname=d", "host=[/run/pg] dbname=[d]"},
        {"pgsql:host='h' ; dbname=d;", "host=[h] dbname=[d]"},
        {"ecto://u:p@h/d", "user=[u] password=[p] host=[h] dbname=[d]"},
        {" \t\r\npostgres://h/d\n", "host=[h] dbname=[d]"},
        {"postgres://h/d\r\n", "host=[h] dbname=[d]"},
        {"postgres://u:p@h/d  \n\n", "user=[u] password=[p] host=[h] dbname=[d]"},
    };
    (void)state;
    CHECK(examples);
}

/* Where the server is, in words of drivers'. */
static void sockets(void **state)
{
#define NO_FACTORY                                                                           \
    "error: socketFactory names a way to the database that only a Java program can go, and " \
    "embark can't"
    static const struct example examples[] = {
        {"postgresql+pg8000://u:p@/d?unix_sock=/cloudsql/p:r:i/.s.PGSQL.5432",
         "user=[u] password=[p] dbname=[d] port=[5432] host=[/cloudsql/p:r:i]"},
        {"postgresql+pg8000://h:1/d?unix_sock=/run/pg/.s.PGSQL.7",
         "host=[/run/pg] port=[7] dbname=[d]"},
        {"jdbc:postgresql:///d?unixSocketPath=/cloudsql/p:r:i&cloudSqlInstance=p:r:i&"
         "socketFactory=com.google.cloud.sql.postgres.SocketFactory",
         "dbname=[d] host=[/cloudsql/p:r:i]"},
        {"jdbc:postgresql://localhost/d?socketFactory=org.newsclub.net.unix."
         "AFUNIXSocketFactory$FactoryArg&socketFactoryArg=/run/pg/.s.PGSQL.5433",
         "host=[/run/pg] dbname=[d] port=[5433]"},
        {"r2dbc:postgresql://h/d?socket=/tmp/.s.PGSQL.1", "host=[/tmp] dbname=[d] port=[1]"},
        {"ecto://h/d?socket_dir=/tmp", "host=[/tmp] dbname=[d]"},
        {"postgres://h/d?socket=tmp", "error: the socket that the URL names is no absolute path"},
        {"jdbc:postgresql:///d?socketFactory=com.google.cloud.sql.postgres.SocketFactory&"
         "cloudSqlInstance=p:r:i",
         NO_FACTORY},
        {"jdbc:postgresql://h/d?socketFactory=com.example.Proxy", NO_FACTORY},
        {"jdbc:postgresql://h/d?cloudSqlInstance=p:r:i",
         "error: cloudSqlInstance names a way to the database that only a Java program can go, and "
         "embark can't"},
    };
    (void)state;
    CHECK(examples);
}

static void balancing(void **state)
{
    static const struct example examples[] = {
        {"postgres://h/d?load_balance_hosts=random",
         "host=[h] dbname=[d] load_balance_hosts=[random]"},
        {"jdbc:postgresql://h/d?loadBalanceHosts=true",
         "host=[h] dbname=[d] load_balance_hosts=[random]"},
        {"Host=h;Load Balance Hosts=false", "host=[h] load_balance_hosts=[disable]"},
        {"jdbc:postgresql://h/d?requireAuth=scram-sha-256",
         "host=[h] dbname=[d] require_auth=[scram-sha-256]"},
    };
    (void)state;
    CHECK(examples);
}

/* libpq's own examples (src/interfaces/libpq/t/001_uri.pl of 15). */
static void as_libpq(void **state)
{
    static const struct example examples[] = {
        {"postgresql://uri-user:secret@host:12345/db",
         "user=[uri-user] password=[secret] host=[host] port=[12345] dbname=[db]"},
        {"postgresql://uri-user@host/", "user=[uri-user] host=[host]"},
        {"postgresql://uri-user@", "user=[uri-user]"},
        {"postgresql://host:12345", "host=[host] port=[12345]"},
        {"postgresql://host", "host=[host]"},
        {"postgresql://", ""},
        {"postgresql://?hostaddr=127.0.0.1", "hostaddr=[127.0.0.1]"},
        {"postgresql://example.com?hostaddr=63.1.2.4", "host=[example.com] hostaddr=[63.1.2.4]"},
        {"postgresql://%68ost/", "host=[host]"},
        {"postgresql://host/db?u%73er=someotheruser&port=12345",
         "host=[host] dbname=[db] user=[someotheruser] port=[12345]"},
        {"postgresql://host?user=uri-user", "host=[host] user=[uri-user]"},
        {"postgresql://host?", "host=[host]"},
        {"postgresql://[::1]:12345/db", "host=[::1] port=[12345] dbname=[db]"},
        {"postgresql://[2001:db8::1234]/", "host=[2001:db8::1234]"},
        {"postgresql://[::1]", "host=[::1]"},
        {"postgres:///db", "dbname=[db]"},
        {"postgres://uri-user@/db", "user=[uri-user] dbname=[db]"},
        {"postgres://?host=/path/to/socket/dir", "host=[/path/to/socket/dir]"},
        {"postgres://[::1", "error: the brackets of the IPv6 address in the URL are not right"},
        {"postgres://[]", "error: the brackets of the IPv6 address in the URL are not right"},
        {"postgres://[::1]z", "error: the brackets of the IPv6 address in the URL are not right"},
        {"postgresql://a%00b", "error: the host holds a NUL byte (%00)"},
        {"postgresql://%1", "error: a % in the host is not followed by two hexadecimal digits"},
        {"postgres://@host", "host=[host]"},
        {"postgres://host:/", "host=[host]"},
        {"postgres://:12345/", "port=[12345]"},
        {"postgres://otheruser@:12345/db?host=/path/to/socket",
         "user=[otheruser] port=[12345] dbname=[db] host=[/path/to/socket]"},
        {"postgres://%2Fvar%2Flib%2Fpostgresql/dbname",
         "host=[/var/lib/postgresql] dbname=[dbname]"},
    };
    (void)state;
    CHECK(examples);
}

static void parts(void **state)
{
    static const struct example examples[] = {
        {"postgres://a%20b:p%20q@h/my%20db", "user=[a b] password=[p q] host=[h] dbname=[my db]"},
        {"postgres://a+b:p+q@h/d+d", "user=[a+b] password=[p+q] host=[h] dbname=[d+d]"},
        {"postgres://u:p%40s%2Fs%3A%25@h/d", "user=[u] password=[p@s/s:%] host=[h] dbname=[d]"},
        {"postgres://u:p:q@h/d", "user=[u] password=[p:q] host=[h] dbname=[d]"},
        {"postgres://u:@h/d", "user=[u] host=[h] dbname=[d]"},
        {"postgres://:p@h/d", "password=[p] host=[h] dbname=[d]"},
        {"postgres://u:p@h1:5432,h2/d",
         "user=[u] password=[p] host=[h1,h2] port=[5432,] dbname=[d]"},
        {"postgres://h1,h2/d", "host=[h1,h2] dbname=[d]"},
        {"postgres://u@[::1]:1,[fe80::1%25eth0],c:3/d",
         "user=[u] host=[::1,fe80::1%eth0,c] port=[1,,3] dbname=[d]"},
        {"postgresql:///d?host=/tmp", "dbname=[d] host=[/tmp]"},
        {"postgresql://u:p@/d?host=/var/run/postgresql&port=5433",
         "user=[u] password=[p] dbname=[d] host=[/var/run/postgresql] port=[5433]"},
        {"postgres://db_1.my-net:5432/d", "host=[db_1.my-net] port=[5432] dbname=[d]"},
        {"postgres://u:p\xC3\xA4@h/d", "user=[u] password=[p\xC3\xA4] host=[h] dbname=[d]"},
    };
    (void)state;
    CHECK(examples);
}

static void query(void **state)
{
    static const struct example examples[] = {
        {"postgres://h/d?sslmode=require&options=-c%20search_path%3Dx",
         "host=[h] dbname=[d] sslmode=[require] options=[-c search_path=x]"},
        {"postgres://h/d?options=-c search_path=x,y",
         "host=[h] dbname=[d] options=[-c search_path=x,y]"},
        {"postgres://h/d?options=-c+geqo%3Doff", "host=[h] dbname=[d] options=[-c+geqo=off]"},
        {"postgres://h/d?&&user=a&", "host=[h] dbname=[d] user=[a]"},
        {"postgres://h/d?user=a&user=b", "host=[h] dbname=[d] user=[b]"},
        {"postgres://h/d?user=a&user=", "host=[h] dbname=[d]"},
        {"postgres://h/d?user=app@tenant&password=x",
         "host=[h] dbname=[d] user=[app@tenant] password=[x]"},
        {"postgres://h/d?database=e&username=u", "host=[h] dbname=[e] user=[u]"},
        {"postgres://h/d?sslmode", "error: the parameter sslmode has no value"},
        /* what libpq doesn't have */
        {"postgres://h/d?pool_size=5&schema=public&connection_limit=1&pgbouncer=true",
         "host=[h] dbname=[d] -pool_size -schema -connection_limit -pgbouncer schema: public"},
        {"postgres://h/d?pgbouncer&my.own-name=1&pgbouncer=true",
         "host=[h] dbname=[d] -pgbouncer -my.own-name"},
        {"postgres://h/d?%20%01x=1", "host=[h] dbname=[d] -(unnamed)"},
        {"postgres://h/d?password=a&b=c", "host=[h] dbname=[d] password=[a] -(unnamed)"},
        {"postgres://h/d?password=a&pool=c", "host=[h] dbname=[d] password=[a] -pool"},
        /* SQLAlchemy */
        {"postgresql+psycopg2://u@/d?host=a:1111&host=b&host=[::1]:3",
         "user=[u] dbname=[d] host=[a,b,::1] port=[1111,,3]"},
        {"postgresql+psycopg2://u@/d?host=a&port=1&host=b&port=2",
         "user=[u] dbname=[d] host=[a,b] port=[1,2]"},
        {"postgresql://u@/d?host=a&host=b", "user=[u] dbname=[d] host=[b]"},
        /* Prisma */
        {"postgres://h/d?sslmode=require&sslaccept=strict&sslcert=/ca.pem",
         "host=[h] dbname=[d] sslmode=[require] sslrootcert=[/ca.pem] -sslaccept"},
        {"postgres://h/d?sslcert=../ca.pem&sslidentity=c.p12&sslpassword=x",
         "host=[h] dbname=[d] -sslidentity -sslcert -sslpassword"},
        {"postgres://h/d?sslcert=c.pem&sslkey=k.pem",
         "host=[h] dbname=[d] sslcert=[c.pem] sslkey=[k.pem]"},
    };
    (void)state;
    CHECK(examples);
}

static void ssl(void **state)
{
    static const struct example examples[] = {
        {"postgres://h?ssl=true", "host=[h] sslmode=[require]"},
        {"postgres://h?ssl=1", "host=[h] sslmode=[require]"},
        {"postgres://h?ssl", "host=[h] sslmode=[require]"},
        {"postgres://h?ssl=require", "host=[h] sslmode=[require]"},
        {"postgres://h?ssl=verify-full", "host=[h] sslmode=[verify-full]"},
        {"postgres://h?ssl=disable", "host=[h] sslmode=[disable]"},
        {"postgres://h?ssl=false", "host=[h] sslmode=[disable]"},
        {"postgres://h?ssl=%7B%22rejectUnauthorized%22%3Afalse%7D", "host=[h] sslmode=[require]"},
        {"postgres://h?sslmode=no-verify", "host=[h] sslmode=[require]"},
        {"postgres://h?sslmode=bogus", "host=[h] sslmode=[bogus]"},
        {"postgres://h?ssl=bogus", "error: the parameter ssl has a value that embark doesn't know"},
        /* the stronger word is the one that was written out, wherever it stands */
        {"postgres://h?sslmode=verify-full&ssl=true", "host=[h] sslmode=[verify-full]"},
        {"postgres://h?ssl=true&sslmode=disable", "host=[h] sslmode=[disable]"},
        {"postgres://h?requiressl=1", "host=[h] sslmode=[require]"},
        {"host=h requiressl=0", "host=[h] sslmode=[prefer]"},
    };
    (void)state;
    CHECK(examples);
}

/* ---- Other forms ---- */

static void jdbc(void **state)
{
    static const struct example examples[] = {
        {"jdbc:postgresql:db", "dbname=[db] host=[localhost]"},
        {"jdbc:postgresql:", "host=[localhost]"},
        {"jdbc:postgresql:/", "dbname=[/] host=[localhost]"},
        {"JDBC:postgresql://h:1/d?user=u&password=a+b%2B",
         "host=[h] port=[1] dbname=[d] user=[u] password=[a b+]"},
        {"jdbc:postgresql://h1,h2/db?ssl=true&sslmode=verify-ca&currentSchema=app,public",
         "host=[h1,h2] dbname=[db] sslmode=[verify-ca] -currentSchema schema: app"},
        {"jdbc:postgresql://[::1]:5433/d?targetServerType=preferSecondary&ApplicationName=a",
         "host=[::1] port=[5433] dbname=[d] target_session_attrs=[prefer-standby] "
         "application_name=[a]"},
        {"jdbc:postgresql:///d?targetServerType=primary&connectTimeout=3&tcpKeepAlive=true"
         "&reWriteBatchedInserts=true",
         "dbname=[d] target_session_attrs=[primary] connect_timeout=[3] keepalives=[1] "
         "host=[localhost] -reWriteBatchedInserts"},
        {"jdbc:p6spy:postgresql://h/d", "host=[h] dbname=[d]"},
        {"r2dbc:postgresql://u:p@h/d", "user=[u] password=[p] host=[h] dbname=[d]"},
        {"vertx-reactive:postgresql://h/d", "host=[h] dbname=[d]"},
        {"jdbc:mysql://h/d", "error: the database URL starts with mysql:, which is not PostgreSQL"},
        {"jdbc:h2:mem:x", "error: the database URL starts with h2:, which is not PostgreSQL"},
        {"jdbc:postgresql://h/d?user=u&password=a&b",
         "error: a parameter behind the password has no =, so perhaps the password holds an & that "
         "is not percent-encoded (%26)"},
    };
    (void)state;
    CHECK(examples);
}

static void npgsql(void **state)
{
    static const struct example examples[] = {
        {"Host=h;Username=u;Password=\"a;b\";SSL Mode=Require;Port=5433;Database=d x;Pooling=true",
         "host=[h] user=[u] password=[a;b] sslmode=[require] port=[5433] dbname=[d x] -Pooling"},
        {"Server=h;Database=d;User Id=u;Pwd='a\"b''c';",
         "host=[h] dbname=[d] user=[u] password=[a\"b'c]"},
        {" host = h ; password = x y ;database=d", "host=[h] password=[x y] dbname=[d]"},
        {"host=h; port=5432; user=u", "host=[h] port=[5432] user=[u]"},
        {"Host=a:1,b,[::1]:3,/tmp;Username=u", "host=[a,b,::1,/tmp] user=[u] port=[1,,3,]"},
        {"Host=h", "host=[h]"},
        {"Pooling=false;Host=::1", "host=[::1] -Pooling"},
        {"Host=h;SslMode=VerifyFull;Root Certificate=/ca;Trust Server Certificate=false",
         "host=[h] sslmode=[verify-full] sslrootcert=[/ca] -Trust Server Certificate"},
        {"Host=h;Timeout=5;Target Session Attributes=PreferStandby;Search Path=app",
         "host=[h] connect_timeout=[5] target_session_attrs=[prefer-standby] -Search Path schema: "
         "app"},
        {"Host=h;Password=a;b;Database=d", "error: parameter 3 of the connection string has no ="},
        {"Host=h;Password=\"a;Database=d",
         "error: the connection string holds a quotation mark that is not closed"},
        {"Host=h;Password=\"a\"b;Database=d",
         "error: parameter 2 of the connection string goes on behind its closing quotation mark"},
        {"Host=h;Password=a;b=c",
         "error: parameter 3 of the connection string is not one that embark knows"},
    };
    (void)state;
    CHECK(examples);
}

static void keyword_value(void **state)
{
    static const struct example examples[] = {
        {"host=h user=u password='a b\\'c\\\\' dbname=d",
         "host=[h] user=[u] password=[a b'c\\] dbname=[d]"},
        {"host = h\tport\n=\n5432", "host=[h] port=[5432]"},
        {"password=a\\ b\\'c host=h", "password=[a b'c] host=[h]"},
        {"password=a'b host=h", "password=[a'b] host=[h]"},
        {"password='a'host=h", "password=[a] host=[h]"},
        {"password=a\\", "password=[a]"},
        {"user='' host=h", "host=[h]"},
        {"host=h host=i", "host=[i]"},
        {"host=h options='-c a=b'", "host=[h] options=[-c a=b]"},
        {"host=/tmp,@abstract,h port=5432", "host=[/tmp,@abstract,h] port=[5432]"},
        {"host=h password=a;b", "host=[h] password=[a;b]"},
        {"host=h user=u password=abc;", "host=[h] user=[u] password=[abc;]"},
        {"password='a;Port=b' host=h", "password=[a;Port=b] host=[h]"},
        {"password=p@ss/w#rd%zz host=h", "password=[p@ss/w#rd%zz] host=[h]"},
        {"host=h ssl=true search_path=x", "host=[h] sslmode=[require] -search_path schema: x"},
        {"service=s", "service=[s]"},
        {"host=h password=a b", "error: parameter 3 of the connection string has no ="},
        {"host=h password=a b=c",
         "error: parameter 3 of the connection string is not one that embark knows"},
        {"password='a", "error: the connection string holds a quotation mark that is not closed"},
        {"password='a\\", "error: the connection string holds a quotation mark that is not closed"},
        {"h", "error: the text is neither a URL nor keyword=value"},
    };
    (void)state;
    CHECK(examples);
}

/* ---- Errors ---- */

static void mistakes(void **state)
{
    static const struct example examples[] = {
        {"", "error: the database URL is empty"},
        {" \n", "error: the database URL is empty"},
        {"postgres://u:p@ss@h/d", "error: the password holds an @ that is not percent-encoded"},
        {"postgres://a@t:p@h/d",
         "error: the user name or the password holds an @ that is not percent-encoded"},
        {"postgres://u:p/ss@h/d",
         "error: the password holds a /, ? or # that is not percent-encoded"},
        {"postgres://u:p?s/s@h/d",
         "error: the password holds a /, ? or # that is not percent-encoded"},
        {"postgres://u:12/34@h/d", "error: there is an @ behind the first /, so either the "
                                   "password holds a / or the database "
                                   "name an @ that is not percent-encoded"},
        {"postgres://u:12/34?x@h/d",
         "error: there is an @ behind the ?, so perhaps the password holds a ? that is not "
         "percent-encoded"},
        {"postgres://h?user=a@t",
         "error: there is an @ behind the ?, and no / in front of that: either the password holds "
         "a "
         "?, or the value of a parameter an @, that is not percent-encoded"},
        /* read as libpq does, but other drivers don't */
        {"postgres://u:p?s#s@h/d", "user=[u] password=[p?s#s] host=[h] dbname=[d] noted"},
        {"postgres://u:p%@h/d",
         "error: a % in the password is not followed by two hexadecimal digits"},
        {"postgres://u%4:p@h/d",
         "error: a % in the user name is not followed by two hexadecimal digits"},
        {"postgres://h/d%zz",
         "error: a % in the database name is not followed by two hexadecimal digits"},
        {"postgres://u:p%00@h/d", "error: the password holds a NUL byte (%00)"},
        {"postgres://u:pass", "error: the port is not a number from 1 to 65535"},
        {"postgres://u:p@h:0/d", "error: the port is not a number from 1 to 65535"},
        {"postgres://u:p@h:65536/d", "error: the port is not a number from 1 to 65535"},
        {"postgres://u:p@h:5432x/d", "error: the port is not a number from 1 to 65535"},
        {"postgres://u:p@h/d?port=x", "error: the port is not a number from 1 to 65535"},
        {"host=h port=5432;", "error: the port is not a number from 1 to 65535"},
        {"host=a,b,c port=1,2", "error: there are 2 ports for 3 hosts"},
        {"host=a,b hostaddr=1.2.3.4", "error: there are 2 hosts, but 1 addresses in hostaddr"},
        {"postgres://u:p@my host/d",
         "error: what stands where the host should be holds a character that no host has"},
        {"postgres://u:p@h/d\npostgres://u:q@h/d",
         "error: the database URL holds a control character, such as a line break"},
        {"\"postgres://u:p@h/d\"", "error: the database URL starts with a quotation mark"},
        {"DATABASE_URL=postgres://u:p@h/d",
         "error: the database URL starts with something else than the URL"},
        {"psql 'postgres://u:p@h/d'",
         "error: the database URL starts with something else than the URL"},
        {"postgres:u:p@h/d", "error: the database URL has no // behind its scheme"},
        {"jdbc:postgresql", "error: the database URL has no // behind its scheme"},
        {"jdbc:postgresql /d", "error: the database URL has no // behind its scheme"},
        {"u:p@h/d", "error: the text is neither a URL nor keyword=value"},
        {"mysql://u:p@h/d", "error: the database URL starts with mysql:, which is not PostgreSQL"},
        {"mysql+pymysql://h",
         "error: the database URL starts with mysql:, which is not PostgreSQL"},
        {"sqlite:///x.db", "error: the database URL starts with sqlite:, which is not PostgreSQL"},
        {"HTTP://x", "error: the database URL starts with http:, which is not PostgreSQL"},
        {"postgress://u:p@h",
         "error: the database URL starts with what looks like a misspelt postgres://"},
        {"hunter2://u:p@h",
         "error: the database URL starts with a scheme that embark doesn't know"},
        {"://h", "error: the text is neither a URL nor keyword=value"},
    };
    (void)state;
    CHECK(examples);
}

static void hints_say_how(void **state)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_URL_AUTO url = EM_URL_INIT;
    (void)state;
    assert_int_equal(em_url_parse(&url, "postgres://u:p@ss@h/d", NULL, &err), EM_EXIT_CONFIG);
    assert_int_equal(err.code, EM_EXIT_CONFIG);
    assert_non_null(strstr(em_str_c(&err.hint), "%40 for @"));
    assert_int_equal(url.keys.n, 0);
    assert_int_equal(em_url_parse(&url, "postgres://u:100%@h/d", NULL, &err), EM_EXIT_CONFIG);
    assert_non_null(strstr(em_str_c(&err.hint), "%25"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemes),   cmocka_unit_test(sockets),
        cmocka_unit_test(balancing), cmocka_unit_test(as_libpq),
        cmocka_unit_test(parts),     cmocka_unit_test(query),
        cmocka_unit_test(ssl),       cmocka_unit_test(jdbc),
        cmocka_unit_test(npgsql),    cmocka_unit_test(keyword_value),
        cmocka_unit_test(mistakes),  cmocka_unit_test(hints_say_how),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
