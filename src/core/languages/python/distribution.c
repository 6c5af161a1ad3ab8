#include "embark/core/languages/python/distribution.h"

#include <string.h>

#include "embark/core/languages/python/requirement.h"
#include "name.h"

/* Module, and what in the distribution's name tells it. Only those of which the names aren't alike.
 */
static const char *const known[][2] = {
    {"yaml", "yaml"},
    {"cv2", "opencv"},
    {"PIL", "pillow"},
    {"bs4", "beautifulsoup"},
    {"sklearn", "scikit-learn"},
    {"skimage", "scikit-image"},
    {"MySQLdb", "mysqlclient"},
    {"Crypto", "pycrypto"},
    {"Cryptodome", "pycryptodomex"},
    {"OpenSSL", "pyopenssl"},
    {"attr", "attrs"},
    {"google.protobuf", "protobuf"},
    {"zmq", "pyzmq"},
    {"rest_framework", "djangorestframework"},
    {"jwt", "jwt"},
    {"pkg_resources", "setuptools"},
    {"_cffi_backend", "cffi"},
    {"usb", "pyusb"},
    {"nacl", "pynacl"},
    {"fitz", "pymupdf"},
    {"faiss", "faiss"},
    {"dateutil", "dateutil"},
    {"git", "gitpython"},
    {"ldap3", "ldap3"},
    {"win32api", "pywin32"},
    {"pythoncom", "pywin32"},
    {"uwsgidecorators", "uwsgi"},
};

/* Without -, _ and . , in lower case: flaskcors of Flask-Cors and flask_cors. */
static void squeeze(const char *text, size_t length, struct em_str *out)
{
    EM_STR_AUTO key = EM_STR_INIT;

    em_requirement_key(text, length, &key);
    for (size_t i = 0; i < key.len; i++)
        if (key.data[i] != '-')
            em_str_putc(out, key.data[i]);
}

static bool is_or_below(const char *module, const char *name)
{
    size_t n = strlen(name);

    return strncmp(module, name, n) == 0 && (module[n] == '\0' || module[n] == '.');
}

bool em_python_may_bring(const char *key, const char *module)
{
    EM_STR_AUTO top = EM_STR_INIT;
    EM_STR_AUTO own = EM_STR_INIT;
    const char *at;

    for (size_t i = 0; i < EM_COUNT(known); i++)
        if (is_or_below(module, known[i][0]) && strstr(key, known[i][1]))
            return true;
    squeeze(module, strcspn(module, "."), &top);
    squeeze(key, strlen(key), &own);
    /* django-environ brings environ, python-dotenv dotenv: one is in the other. */
    at = top.len >= 3 ? strstr(em_str_c(&own), em_str_c(&top)) : NULL;
    return at != NULL || strcmp(em_str_c(&own), em_str_c(&top)) == 0 ||
           (own.len >= 4 && strstr(em_str_c(&top), em_str_c(&own)));
}
