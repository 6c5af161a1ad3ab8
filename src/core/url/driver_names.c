#include <string.h>

#include "parser.h"

/* Without case, blanks, _ and -. They may be named in messages: a name that isn't here might be a
 * piece of a password. embark.ini(5) lists them, too. */
static const char *const drivers[] = {
    /* Prisma */
    " schema connectionlimit pooltimeout sockettimeout pgbouncer statementcachesize "
    "sslaccept sslidentity maxconnectionlifetime maxidleconnectionlifetime ",
    /* SQLAlchemy, asyncpg and Django (Python) */
    " poolsize maxoverflow poolrecycle poolpreping echo charset encoding "
    "preparedstatementcachesize preparedstatementnamefunc asyncfallback "
    "commandtimeout serversettings maxcachedstatementlifetime "
    "maxcacheablestatementsize minsize maxsize maxqueries "
    "maxinactiveconnectionlifetime timeout directtls connmaxage connhealthchecks "
    "sslrequire disableserversidecursors atomicrequests ",
    /* Rails (Ruby), Ecto (Elixir) and Doctrine (PHP) */
    " pool preparedstatements schemasearchpath reconnect checkouttimeout readtimeout "
    "reapingfrequency adapter advisorylocks variables minmessages insertreturning "
    "serverversion driver persistent ",
    /* pg, postgres.js, knex and TypeORM (Node.js) */
    " uselibpqcompat max min idletimeout idletimeoutmillis connectiontimeoutmillis "
    "statementtimeout querytimeout locktimeout idleintransactionsessiontimeout "
    "keepalive allowexitonidle binary prepare fetchtypes transform maxlifetime "
    "maxpipeline debug synchronize logging ",
    /* pgx, lib/pq, golang-migrate (Go) and sqlx (Rust) */
    " poolmaxconns poolminconns poolminidleconns poolmaxconnlifetime "
    "poolmaxconnlifetimejitter poolmaxconnidletime poolhealthcheckperiod "
    "statementcachemode statementcachecapacity descriptioncachecapacity "
    "defaultqueryexecmode prefersimpleprotocol binaryparameters "
    "disablepreparedbinaryresult searchpath timezone datestyle intervalstyle "
    "xmigrationstable xmigrationstablequoted xstatementtimeout xmultistatement "
    "xmultistatementmaxsize xlock xtlsinsecureskipverify ",
    /* pgJDBC (Java) */
    " currentschema rewritebatchedinserts preparethreshold "
    "preparedstatementcachequeries preparedstatementcachesizemib "
    "databasemetadatacachefields databasemetadatacachefieldsmib stringtype "
    "hostrecheckseconds sslfactory sslfactoryarg "
    "sslhostnameverifier sslpasswordcallback sslresponsetimeout logintimeout "
    "tcpkeepalive tcpnodelay binarytransfer binarytransferenable "
    "binarytransferdisable readonly readonlymode defaultrowfetchsize loglevel "
    "loggerlevel loggerfile logunclosedconnections logservererrordetail "
    "unknownlength assumeminserverversion protocolversion allowencodingchanges "
    "disablecolumnsanitiser autosave cleanupsavepoints preferquerymode "
    "escapesyntaxcallmode sspiserviceclass jaasapplicationname jaaslogin usespnego "
    "receivebuffersize sendbuffersize maxresultbuffer adaptivefetch "
    "adaptivefetchminimum adaptivefetchmaximum groupstartupparameters "
    "localsocketaddress quotereturningidentifiers cancelsignaltimeout "
    "authenticationpluginclassname xmlfactoryfactory ",
    /* Npgsql (.NET) */
    " pooling minimumpoolsize minpoolsize maximumpoolsize maxpoolsize "
    "connectionidlelifetime connectionpruninginterval connectionlifetime "
    "loadbalancetimeout internalcommandtimeout cancellationtimeout tcpkeepalivetime "
    "tcpkeepaliveinterval maxautoprepare autoprepareminusages readbuffersize "
    "writebuffersize socketreceivebuffersize socketsendbuffersize noresetonclose "
    "multiplexing writecoalescingbufferthresholdbytes replicationmode "
    "arraynullabilitymode loadtablecomposites servercompatibilitymode "
    "convertinfinitydatetime usesslstream integratedsecurity includerealm "
    "persistsecurityinfo includeerrordetail includeerrordetails "
    "includefailedbatchedcommand logparameters enlist trustservercertificate "
    "checkcertificaterevocation useperfcounters entityadmindatabase "
    "entitytemplatedatabase ",
    /* Google's and Amazon's connectors */
    " iptypes enableiamauth cloudsqldelegates cloudsqltargetprincipal "
    "cloudsqlrefreshstrategy cloudsqladminrooturl cloudsqladminservicepath "
    "wrapperplugins wrapperdialect wrapperdriver clusterinstancehostpattern ",
};

bool em_url_has_word(const char *words, const char *name)
{
    EM_STR_WIPED word = EM_STR_INIT;
    if (!*name || strchr(name, ' '))
        return false;
    em_str_printf(&word, " %s ", name);
    return strstr(words, em_str_c(&word)) != NULL;
}

bool em_url_is_drivers(const char *normal)
{
    for (size_t i = 0; i < EM_COUNT(drivers); i++)
        if (em_url_has_word(drivers[i], normal))
            return true;
    return em_url_is_socket_name(normal);
}
