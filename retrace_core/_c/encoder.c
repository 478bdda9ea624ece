#include "encoder.h"
#include <datetime.h>
#include <string.h>

#define MAX_DEPTH 100

static PyObject *fallback, *decimal_type, *uuid_type, *name_int;

int buffer_grow(Buffer *b, size_t more)
{
    size_t cap = b->cap ? b->cap : 256;
    while (cap < b->len + more) cap *= 2;
    unsigned char *bytes = PyMem_RawRealloc(b->bytes, cap);
    if (!bytes) { PyErr_NoMemory(); return -1; }
    b->bytes = bytes;
    b->cap = cap;
    return 0;
}

void buffer_free(Buffer *b)
{
    PyMem_RawFree(b->bytes);
    memset(b, 0, sizeof *b);
}

int put_raw(Buffer *b, const void *data, size_t n)
{
    if (buffer_room(b, n)) return -1;
    memcpy(b->bytes + b->len, data, n);
    b->len += n;
    return 0;
}

/* A tag and an integer of `n` bytes, big endian. */
static int put_tagged(Buffer *b, unsigned char tag, unsigned long long v, int n)
{
    if (buffer_room(b, (size_t)n + 1)) return -1;
    b->bytes[b->len++] = tag;
    for (int shift = 8 * (n - 1); shift >= 0; shift -= 8)
        b->bytes[b->len++] = (unsigned char)(v >> shift);
    return 0;
}

int put_wide_uint(Buffer *b, unsigned long long v)
{
    if (v < 0x100) return put_tagged(b, 0xcc, v, 1);
    if (v < 0x10000) return put_tagged(b, 0xcd, v, 2);
    if (v < 0x100000000ULL) return put_tagged(b, 0xce, v, 4);
    return put_tagged(b, 0xcf, v, 8);
}

int put_int(Buffer *b, long long v)
{
    if (v >= 0) return put_uint(b, (unsigned long long)v);
    if (v >= -32) return put_byte(b, (unsigned char)v);
    if (v >= -0x80) return put_tagged(b, 0xd0, (unsigned long long)v & 0xff, 1);
    if (v >= -0x8000) return put_tagged(b, 0xd1, (unsigned long long)v & 0xffff, 2);
    if (v >= -0x80000000LL) return put_tagged(b, 0xd2, (unsigned long long)v & 0xffffffffULL, 4);
    return put_tagged(b, 0xd3, (unsigned long long)v, 8);
}

int put_array(Buffer *b, size_t n)
{
    if (n < 16) return put_byte(b, (unsigned char)(0x90 | n));
    if (n < 0x10000) return put_tagged(b, 0xdc, n, 2);
    return put_tagged(b, 0xdd, n, 4);
}

static int put_map(Buffer *b, size_t n)
{
    if (n < 16) return put_byte(b, (unsigned char)(0x80 | n));
    if (n < 0x10000) return put_tagged(b, 0xde, n, 2);
    return put_tagged(b, 0xdf, n, 4);
}

static int put_str(Buffer *b, const char *text, size_t n)
{
    int failed = n < 32        ? put_byte(b, (unsigned char)(0xa0 | n))
                 : n < 0x100   ? put_tagged(b, 0xd9, n, 1)
                 : n < 0x10000 ? put_tagged(b, 0xda, n, 2)
                               : put_tagged(b, 0xdb, n, 4);
    return failed ? -1 : put_raw(b, text, n);
}

static int put_bin(Buffer *b, const void *data, size_t n)
{
    int failed = n < 0x100     ? put_tagged(b, 0xc4, n, 1)
                 : n < 0x10000 ? put_tagged(b, 0xc5, n, 2)
                               : put_tagged(b, 0xc6, n, 4);
    return failed ? -1 : put_raw(b, data, n);
}

static int put_float(Buffer *b, double v)
{
    unsigned long long bits;
    memcpy(&bits, &v, 8);
    return put_tagged(b, 0xcb, bits, 8);
}

/* An extension's length is known only after its payload: most are short, so three bytes are
   kept free before it, and a long payload is moved. */
static int ext_begin(Buffer *b, size_t *start)
{
    if (buffer_room(b, 3)) return -1;
    *start = b->len;
    b->len += 3;
    return 0;
}

static int ext_end(Buffer *b, size_t start, int code)
{
    size_t n = b->len - start - 3;
    unsigned char *head = b->bytes + start;
    if (n < 0x100) {
        head[0] = 0xc7;
        head[1] = (unsigned char)n;
        head[2] = (unsigned char)code;
        return 0;
    }
    int extra = n < 0x10000 ? 1 : 3;
    if (buffer_room(b, (size_t)extra)) return -1;
    head = b->bytes + start;
    memmove(head + 3 + extra, head + 3, n);
    b->len += (size_t)extra;
    head[0] = extra == 1 ? 0xc8 : 0xc9;
    for (int i = 0; i <= extra; i++) head[1 + i] = (unsigned char)(n >> (8 * (extra - i)));
    head[2 + extra] = (unsigned char)code;
    return 0;
}

static int put_ext(Buffer *b, int code, const void *data, size_t n)
{
    size_t start;
    if (ext_begin(b, &start) || put_raw(b, data, n)) return -1;
    return ext_end(b, start, code);
}

/* Clears what went wrong; -1 only when that was the memory. */
static int swallow(void)
{
    if (PyErr_ExceptionMatches(PyExc_MemoryError)) return -1;
    PyErr_Clear();
    return 0;
}

static int put_unicode(Buffer *b, PyObject *text)
{
    Py_ssize_t n;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &n);
    if (utf8) return put_str(b, utf8, (size_t)n);
    if (swallow()) return -1;
    PyObject *raw = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
    if (!raw) return swallow() ? -1 : put_str(b, "", 0);
    int failed = put_ext(b, EXT_SURROGATES, PyBytes_AS_STRING(raw), (size_t)PyBytes_GET_SIZE(raw));
    Py_DECREF(raw);
    return failed;
}

static int put_opaque(Buffer *b, PyObject *value)
{
    size_t start;
    b->tainted = 1;
    if (ext_begin(b, &start) || put_array(b, 2)) return -1;
    const char *name = Py_TYPE(value)->tp_name;
    if (put_str(b, name, strlen(name))) return -1;
    /* Not its repr: that may be code of the application's, which asks a database, say. */
    return put_str(b, "?", 1) ? -1 : ext_end(b, start, EXT_OPAQUE);
}

static int put_fallback(Buffer *b, PyObject *value, int depth)
{
    PyObject *answer = fallback ? PyObject_CallOneArg(fallback, value) : NULL;
    if (!answer) {
        if (PyErr_Occurred() && swallow()) return -1;
        return put_opaque(b, value);
    }
    PyObject *payload;
    int code, failed;
    if (!PyTuple_Check(answer) || !PyArg_ParseTuple(answer, "iO", &code, &payload)) {
        Py_DECREF(answer);
        PyErr_Clear();
        return put_opaque(b, value);
    }
    if (code == EXT_OPAQUE) b->tainted = 1;
    if (code < 0) {
        failed = encode_value(b, payload, depth + 1);
    } else if (PyBytes_CheckExact(payload)) {
        failed = put_ext(b, code, PyBytes_AS_STRING(payload), (size_t)PyBytes_GET_SIZE(payload));
    } else {
        size_t start;
        failed = ext_begin(b, &start) || encode_value(b, payload, depth + 1) ||
                 ext_end(b, start, code);
    }
    Py_DECREF(answer);
    return failed ? -1 : 0;
}

static int put_long(Buffer *b, PyObject *value)
{
    int overflow;
    long long v = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (!overflow) return put_int(b, v);
    if (overflow > 0) {
        unsigned long long u = PyLong_AsUnsignedLongLong(value);
        if (!PyErr_Occurred()) return put_uint(b, u);
        PyErr_Clear();
    }
    PyObject *bits = PyObject_CallMethod(value, "bit_length", NULL);
    size_t n = bits ? PyLong_AsSize_t(bits) / 8 + 1 : 0;
    Py_XDECREF(bits);
    PyObject *to_bytes = n ? PyObject_GetAttrString(value, "to_bytes") : NULL;
    PyObject *args = to_bytes ? Py_BuildValue("(ns)", (Py_ssize_t)n, "big") : NULL;
    PyObject *kwargs = args ? Py_BuildValue("{s:O}", "signed", Py_True) : NULL;
    PyObject *raw = kwargs ? PyObject_Call(to_bytes, args, kwargs) : NULL;
    Py_XDECREF(to_bytes);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    if (!raw) return swallow() ? -1 : put_opaque(b, value);
    int failed = put_ext(b, EXT_BIGINT, PyBytes_AS_STRING(raw), (size_t)PyBytes_GET_SIZE(raw));
    Py_DECREF(raw);
    return failed;
}

/* The item may lose its last reference while it is encoded (a fallback runs Python code). */
static int encode_item(Buffer *b, PyObject *item, int depth)
{
    Py_INCREF(item);
    int failed = encode_value(b, item, depth + 1);
    Py_DECREF(item);
    return failed;
}

static int put_list(Buffer *b, PyObject *list, int depth)
{
    Py_ssize_t n = PyList_GET_SIZE(list);
    if (put_array(b, (size_t)n)) return -1;
    for (Py_ssize_t i = 0; i < n; i++) {
        /* Another thread may have shortened it meanwhile: the count stands, so fill up. */
        int failed = i < PyList_GET_SIZE(list) ? encode_item(b, PyList_GET_ITEM(list, i), depth)
                                               : put_byte(b, 0xc0);
        if (failed) return -1;
    }
    return 0;
}

static int put_tuple(Buffer *b, PyObject *tuple, int depth)
{
    size_t start;
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    if (ext_begin(b, &start) || put_array(b, (size_t)n)) return -1;
    for (Py_ssize_t i = 0; i < n; i++)
        if (encode_value(b, PyTuple_GET_ITEM(tuple, i), depth + 1)) return -1;
    return ext_end(b, start, EXT_TUPLE);
}

static int put_dict(Buffer *b, PyObject *dict, int depth)
{
    Py_ssize_t n = PyDict_GET_SIZE(dict), written = 0, position = 0;
    PyObject *key, *value;
    if (put_map(b, (size_t)n)) return -1;
    while (written < n && PyDict_Next(dict, &position, &key, &value)) {
        Py_INCREF(value);
        int failed = encode_item(b, key, depth) || encode_value(b, value, depth + 1);
        Py_DECREF(value);
        if (failed) return -1;
        written++;
    }
    for (; written < n; written++)
        if (put_int(b, -1 - written) || put_byte(b, 0xc0)) return -1;
    return 0;
}

static int put_set(Buffer *b, PyObject *set, int depth)
{
    size_t start;
    Py_ssize_t n = PySet_GET_SIZE(set), written = 0;
    PyObject *items = PyObject_GetIter(set), *item;
    if (!items) return swallow() ? -1 : put_opaque(b, set);
    int failed = ext_begin(b, &start) || put_array(b, (size_t)n);
    while (!failed && written < n && (item = PyIter_Next(items))) {
        failed = encode_value(b, item, depth + 1);
        Py_DECREF(item);
        written++;
    }
    Py_DECREF(items);
    if (!failed && PyErr_Occurred()) failed = swallow();
    for (; !failed && written < n; written++) failed = put_byte(b, 0xc0);
    if (failed) return -1;
    return ext_end(b, start, PyFrozenSet_Check(set) ? EXT_FROZENSET : EXT_SET);
}

static int put_decimal(Buffer *b, PyObject *value)
{
    Py_ssize_t n;
    PyObject *text = PyObject_Str(value);
    const char *ascii = text ? PyUnicode_AsUTF8AndSize(text, &n) : NULL;
    int failed = ascii ? put_ext(b, EXT_DECIMAL, ascii, (size_t)n)
                       : (swallow() ? -1 : put_opaque(b, value));
    Py_XDECREF(text);
    return failed;
}

static int put_uuid(Buffer *b, PyObject *value)
{
    PyObject *number = PyObject_GetAttr(value, name_int);
    PyObject *raw = number ? PyObject_CallMethod(number, "to_bytes", "is", 16, "big") : NULL;
    Py_XDECREF(number);
    if (!raw) return swallow() ? -1 : put_opaque(b, value);
    /* fixext 16 */
    int failed = put_byte(b, 0xd8) || put_byte(b, EXT_UUID) ||
                 put_raw(b, PyBytes_AS_STRING(raw), 16);
    Py_DECREF(raw);
    return failed ? -1 : 0;
}

/* nil, seconds of a fixed offset; 1 when only the fallback can say (a named zone). */
static int put_zone(Buffer *b, PyObject *zone)
{
    if (zone == Py_None) return put_byte(b, 0xc0);
    if (zone == PyDateTime_TimeZone_UTC) return put_int(b, 0);
    return 1;
}

static int put_moment(Buffer *b, PyObject *v, int keep_zone)
{
    size_t start;
    if (ext_begin(b, &start) || put_array(b, 9) || put_int(b, PyDateTime_GET_YEAR(v)) ||
        put_int(b, PyDateTime_GET_MONTH(v)) || put_int(b, PyDateTime_GET_DAY(v)) ||
        put_int(b, PyDateTime_DATE_GET_HOUR(v)) || put_int(b, PyDateTime_DATE_GET_MINUTE(v)) ||
        put_int(b, PyDateTime_DATE_GET_SECOND(v)) ||
        put_int(b, PyDateTime_DATE_GET_MICROSECOND(v)) ||
        put_int(b, PyDateTime_DATE_GET_FOLD(v)))
        return -1;
    int zoned = put_zone(b, keep_zone ? PyDateTime_DATE_GET_TZINFO(v) : Py_None);
    if (zoned) {
        if (zoned > 0) b->len = start;
        return zoned;
    }
    return ext_end(b, start, EXT_DATETIME);
}

static int put_date(Buffer *b, PyObject *v)
{
    size_t start;
    if (ext_begin(b, &start) || put_array(b, 3) || put_int(b, PyDateTime_GET_YEAR(v)) ||
        put_int(b, PyDateTime_GET_MONTH(v)) || put_int(b, PyDateTime_GET_DAY(v)))
        return -1;
    return ext_end(b, start, EXT_DATE);
}

int encode_naive_moment(Buffer *b, PyObject *moment)
{
    if (PyDateTime_Check(moment)) return put_moment(b, moment, 0);
    if (PyDate_Check(moment)) return put_date(b, moment);
    return encode_value(b, moment, 0);
}

static int put_span(Buffer *b, PyObject *v)
{
    size_t start;
    if (ext_begin(b, &start) || put_array(b, 3) || put_int(b, PyDateTime_DELTA_GET_DAYS(v)) ||
        put_int(b, PyDateTime_DELTA_GET_SECONDS(v)) ||
        put_int(b, PyDateTime_DELTA_GET_MICROSECONDS(v)))
        return -1;
    return ext_end(b, start, EXT_TIMEDELTA);
}

static int put_complex(Buffer *b, PyObject *v)
{
    size_t start;
    if (ext_begin(b, &start) || put_array(b, 2) || put_float(b, PyComplex_RealAsDouble(v)) ||
        put_float(b, PyComplex_ImagAsDouble(v)))
        return -1;
    return ext_end(b, start, EXT_COMPLEX);
}

static int put_memory(Buffer *b, PyObject *view)
{
    PyObject *raw = PyBytes_FromObject(view);
    if (!raw) return swallow() ? -1 : put_opaque(b, view);
    int failed = put_bin(b, PyBytes_AS_STRING(raw), (size_t)PyBytes_GET_SIZE(raw));
    Py_DECREF(raw);
    return failed;
}

static int encode_rest(Buffer *b, PyObject *v, int depth)
{
    PyTypeObject *type = Py_TYPE(v);
    if (PyAnySet_CheckExact(v)) return put_set(b, v, depth);
    if (PyDateTime_CheckExact(v)) {
        int done = put_moment(b, v, 1);
        return done > 0 ? put_fallback(b, v, depth) : done;
    }
    if (PyDate_CheckExact(v)) return put_date(b, v);
    if (PyDelta_CheckExact(v)) return put_span(b, v);
    if ((PyObject *)type == decimal_type) return put_decimal(b, v);
    if (PyType_IsSubtype(type, (PyTypeObject *)uuid_type)) return put_uuid(b, v);
    if (PyByteArray_CheckExact(v))
        return put_ext(b, EXT_BYTEARRAY, PyByteArray_AS_STRING(v), (size_t)PyByteArray_GET_SIZE(v));
    if (PyMemoryView_Check(v)) return put_memory(b, v);
    if (PyComplex_CheckExact(v)) return put_complex(b, v);
    return put_fallback(b, v, depth);
}

int encode_value(Buffer *b, PyObject *v, int depth)
{
    PyTypeObject *type = Py_TYPE(v);
    if (depth > MAX_DEPTH) return put_opaque(b, v);
    if (v == Py_None) return put_byte(b, 0xc0);
    if (type == &PyUnicode_Type) return put_unicode(b, v);
    if (type == &PyLong_Type) return put_long(b, v);
    if (v == Py_True) return put_byte(b, 0xc3);
    if (v == Py_False) return put_byte(b, 0xc2);
    if (type == &PyFloat_Type) return put_float(b, PyFloat_AS_DOUBLE(v));
    if (type == &PyBytes_Type)
        return put_bin(b, PyBytes_AS_STRING(v), (size_t)PyBytes_GET_SIZE(v));
    if (type == &PyTuple_Type) return put_tuple(b, v, depth);
    if (type == &PyList_Type) return put_list(b, v, depth);
    if (type == &PyDict_Type) return put_dict(b, v, depth);
    return encode_rest(b, v, depth);
}

PyObject *encoder_set_fallback(PyObject *module, PyObject *callable)
{
    (void)module;
    Py_INCREF(callable);
    Py_XSETREF(fallback, callable);
    Py_RETURN_NONE;
}

static PyObject *attribute_of(const char *module_name, const char *attribute)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *found = module ? PyObject_GetAttrString(module, attribute) : NULL;
    Py_XDECREF(module);
    return found;
}

int encoder_init(void)
{
    PyDateTime_IMPORT;
    if (!PyDateTimeAPI) return -1;
    name_int = PyUnicode_InternFromString("int");
    decimal_type = attribute_of("decimal", "Decimal");
    uuid_type = attribute_of("uuid", "UUID");
    return name_int && decimal_type && uuid_type ? 0 : -1;
}
