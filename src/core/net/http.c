#include "embark/core/net/http.h"

#include <string.h>
#include <strings.h>

enum part { STATUS_LINE, FIELD, CHUNK_SIZE, DATA, DATA_END, TRAILER };
enum { SAMPLE = 32 }; /* of a bad answer's first bytes, for a message */

static bool is_of(const char *header, const char *name)
{
    size_t n = strlen(name);
    return strncasecmp(header, name, n) == 0 && header[n] == ':';
}

static bool has_header(const struct em_http_request *request, const char *name)
{
    for (size_t i = 0; i < request->n; i++)
        if (is_of(request->headers[i], name))
            return true;
    return false;
}

void em_http_request_print(const struct em_http_url *url, const struct em_http_request *request,
                           struct em_str *out)
{
    em_str_printf(out, "GET %s HTTP/1.1\r\n", url->target);
    if (!has_header(request, "Host"))
        em_str_printf(out, "Host: %s\r\n", request->host ? request->host : url->authority);
    if (!has_header(request, "User-Agent"))
        em_str_puts(out, "User-Agent: embark\r\n");
    if (!has_header(request, "Accept"))
        em_str_puts(out, "Accept: */*\r\n");
    for (size_t i = 0; i < request->n; i++)
        em_str_printf(out, "%s\r\n", request->headers[i]);
    em_str_puts(out, "Connection: close\r\n\r\n");
}

bool em_http_is_header(const char *text)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "!#$%&'*+-.^_`|~";
    size_t n = strspn(text, name);
    if (n == 0 || text[n] != ':' || is_of(text, "Connection"))
        return false;
    for (const char *c = text + n; *c; c++)
        if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7F)
            return false;
    return true;
}

bool em_http_is_redirect(int status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

void em_http_start(struct em_http *http, size_t head_limit, size_t body_limit)
{
    *http = (struct em_http){.head_limit = head_limit, .body_limit = body_limit};
}

void em_http_free(struct em_http *http)
{
    em_str_free(&http->body);
    em_str_free(&http->location);
    em_str_free(&http->line);
}

bool em_http_wants(const struct em_http *http)
{
    return http->phase == EM_HTTP_HEAD ||
           (http->phase == EM_HTTP_BODY && http->body.len < http->body_limit);
}

static void bad(struct em_http *http, const char *wrong)
{
    http->phase = EM_HTTP_BAD;
    http->wrong = wrong;
    em_str_cut(&http->line, SAMPLE);
}

/* "HTTP/1.1 200 OK"; the reason, and the blank before it, may be missing. */
static void status_line(struct em_http *http, const char *line, size_t length)
{
    if (length < 12 || memcmp(line, "HTTP/1.", 7) != 0 || !em_is_digit(line[7]) || line[8] != ' ' ||
        line[9] < '1' || line[9] > '9' || !em_is_digit(line[10]) || !em_is_digit(line[11]) ||
        (length > 12 && line[12] != ' ')) {
        bad(http, "has a status line that is not HTTP/1");
        return;
    }
    http->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    http->part = FIELD;
}

static bool has_control(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7F)
            return true;
    return false;
}

static void trim(const char **text, size_t *length)
{
    while (*length && em_is_blank(**text)) {
        (*text)++;
        (*length)--;
    }
    while (*length && em_is_blank((*text)[*length - 1]))
        (*length)--;
}

/* The next value of a list ("5, 5"), trimmed; false when there is none. */
static bool next_item(const char **text, size_t *length, const char **item, size_t *item_length)
{
    if (!*text)
        return false;
    const char *comma = memchr(*text, ',', *length);
    *item = *text;
    *item_length = comma ? (size_t)(comma - *text) : *length;
    *length -= comma ? *item_length + 1 : *length;
    *text = comma ? comma + 1 : NULL;
    trim(item, item_length);
    return true;
}

/* Several equal lengths are one (RFC 9110, 8.6). */
static void content_length(struct em_http *http, const char *value, size_t length)
{
    const char *item;
    size_t n;
    while (next_item(&value, &length, &item, &n)) {
        uint64_t number = 0;
        if (n == 0 || n > 18) { /* 18 digits fit into 64 bits, and nobody waits for more */
            bad(http, "has a Content-Length that is not a number");
            return;
        }
        for (size_t i = 0; i < n; i++) {
            if (!em_is_digit(item[i])) {
                bad(http, "has a Content-Length that is not a number");
                return;
            }
            number = number * 10 + (uint64_t)(item[i] - '0');
        }
        if (http->has_length && http->length != number) {
            bad(http, "has two different Content-Lengths");
            return;
        }
        http->has_length = true;
        http->length = number;
    }
}

/* Where the last coding isn't chunked, the body ends with the connection (RFC 9112, 6.3). */
static void transfer_encoding(struct em_http *http, const char *value, size_t length)
{
    const char *item;
    size_t n;
    while (next_item(&value, &length, &item, &n)) {
        if (n == 0)
            continue;
        http->coded = true;
        http->chunked = n == 7 && strncasecmp(item, "chunked", 7) == 0;
    }
}

static bool is_named(const char *line, size_t length, const char *name)
{
    return length == strlen(name) && strncasecmp(line, name, length) == 0;
}

static void field(struct em_http *http, const char *line, size_t length)
{
    if (has_control(line, length)) {
        bad(http, "holds a control character in its header");
        return;
    }
    if (em_is_blank(*line)) {
        /* A folded line goes on with the one before; where that one decides how long the answer is,
         * nothing is guessed. */
        if (http->framing)
            bad(http, "has a folded header that says how long it is");
        return;
    }
    const char *colon = memchr(line, ':', length), *value = colon ? colon + 1 : line;
    size_t name_length = colon ? (size_t)(colon - line) : 0;
    if (name_length == 0) {
        bad(http, "holds a header line without a name");
        return;
    }
    size_t value_length = length - name_length - 1;
    trim(&value, &value_length);
    while (name_length && em_is_blank(line[name_length - 1])) /* "Content-Length : 5" */
        name_length--;
    http->framing = true;
    if (is_named(line, name_length, "Content-Length"))
        content_length(http, value, value_length);
    else if (is_named(line, name_length, "Transfer-Encoding"))
        transfer_encoding(http, value, value_length);
    else
        http->framing = false;
    if (is_named(line, name_length, "Location")) {
        em_str_cut(&http->location, 0);
        em_str_add(&http->location, value, value_length);
    }
}

/* The empty line: what follows? */
static void head_end(struct em_http *http)
{
    if (http->status < 200 &&
        http->status !=
            101) { /* interim: the real answer is to come; the limit is for all of them */
        http->status = 0;
        http->chunked = http->coded = http->has_length = http->framing = false;
        http->part = STATUS_LINE;
        return;
    }
    http->phase = EM_HTTP_BODY;
    http->head = 0;
    if (http->status == 101 || http->status == 204 || http->status == 304) {
        http->phase = EM_HTTP_DONE;
    } else if (http->chunked) {
        http->part = CHUNK_SIZE;
    } else if (http->coded || !http->has_length) {
        http->part = DATA;
        http->left = UINT64_MAX;
    } else {
        http->part = DATA;
        http->left = http->length;
        if (http->left == 0)
            http->phase = EM_HTTP_DONE;
    }
}

/* "1f", "1F ; name=value". */
static void chunk_size(struct em_http *http, const char *line, size_t length)
{
    uint64_t size = 0;
    size_t n = 0;
    while (n < length && em_hex_value(line[n]) >= 0 && n < 16)
        size = size * 16 + (uint64_t)em_hex_value(line[n++]);
    size_t end = n;
    while (end < length && em_is_blank(line[end]))
        end++;
    if (n == 0 || n == 16 || (end < length && line[end] != ';')) {
        bad(http, "has a chunk whose size is not a number");
        return;
    }
    http->left = size;
    http->part = size ? DATA : TRAILER;
    http->head = 0;
}

static void line_end(struct em_http *http)
{
    const char *line = http->line.data;
    size_t length = http->line.len - 1; /* without LF */
    if (length && line[length - 1] == '\r')
        length--;
    switch (http->part) {
    case STATUS_LINE:
        status_line(http, line, length);
        break;
    case FIELD:
        if (length)
            field(http, line, length);
        else
            head_end(http);
        break;
    case CHUNK_SIZE:
        chunk_size(http, line, length);
        break;
    case DATA_END:
        http->part = CHUNK_SIZE;
        if (length)
            bad(http, "has a chunk that is longer than it says");
        break;
    case TRAILER:
    default:
        if (length == 0)
            http->phase = EM_HTTP_DONE;
    }
    if (http->phase != EM_HTTP_BAD)
        em_str_cut(&http->line, 0);
}

/* Wrong bytes are known before the line's end, which may never come. A TLS server answers a plain
 * request with an alert record. */
static void look_early(struct em_http *http)
{
    size_t n = http->line.len < 7 ? http->line.len : 7;
    if (http->part != STATUS_LINE || memcmp(http->line.data, "HTTP/1.", n) == 0)
        return;
    bad(http, http->line.data[0] == 0x15 ? "is TLS, not plain HTTP" : "is not HTTP/1");
}

/* Takes up to the end of a line: how many bytes. */
static size_t take_line(struct em_http *http, const char *bytes, size_t length)
{
    const char *end = memchr(bytes, '\n', length);
    size_t n = end ? (size_t)(end - bytes) + 1 : length, room = http->head_limit - http->head;
    em_str_add(&http->line, bytes, n < room ? n : room);
    look_early(http);
    if (http->phase == EM_HTTP_BAD)
        return n;
    if (n > room) {
        bad(http, http->phase == EM_HTTP_HEAD
                      ? "has a header that is too large"
                      : "has a chunk size line or trailer that is too large");
        return n;
    }
    http->head += n;
    if (end)
        line_end(http);
    return n;
}

static size_t take_data(struct em_http *http, const char *bytes, size_t length)
{
    size_t n = http->left < length ? (size_t)http->left : length,
           room = http->body_limit - http->body.len;
    em_str_add(&http->body, bytes, n < room ? n : room);
    if (http->left != UINT64_MAX)
        http->left -= n;
    if (http->left == 0) {
        if (http->chunked) {
            http->part = DATA_END;
            http->head = 0;
        } else {
            http->phase = EM_HTTP_DONE;
        }
    }
    return n;
}

void em_http_feed(struct em_http *http, const char *bytes, size_t length)
{
    while (length && (http->phase == EM_HTTP_HEAD || http->phase == EM_HTTP_BODY)) {
        size_t n =
            http->part == DATA ? take_data(http, bytes, length) : take_line(http, bytes, length);
        bytes += n;
        length -= n;
    }
}

void em_http_end(struct em_http *http)
{
    if (http->phase == EM_HTTP_HEAD) {
        bool nothing = http->head == 0;
        bad(http, nothing ? "is empty" : "ends before its header is complete");
    } else if (http->phase == EM_HTTP_BODY) {
        if (http->part == DATA && http->left == UINT64_MAX)
            http->phase = EM_HTTP_DONE;
        else
            bad(http, "ends before its body is complete");
    }
}
