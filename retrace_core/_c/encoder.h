/* Encoder: one Python value to MessagePack with our extension types (docs/format.md). */
#ifndef RETRACE_ENCODER_H
#define RETRACE_ENCODER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

enum {
    EXT_TUPLE = 1, EXT_SET, EXT_FROZENSET, EXT_BIGINT, EXT_DECIMAL, EXT_UUID, EXT_DATETIME,
    EXT_DATE, EXT_TIME, EXT_TIMEDELTA, EXT_COMPLEX, EXT_OPAQUE, EXT_SURROGATES, EXT_BYTEARRAY,
};

typedef struct {
    unsigned char *bytes;
    size_t len, cap;
    int tainted; /* an opaque value was written */
} Buffer;

int buffer_grow(Buffer *b, size_t more);
void buffer_free(Buffer *b);

static inline int buffer_room(Buffer *b, size_t more)
{
    return b->len + more <= b->cap ? 0 : buffer_grow(b, more);
}

/* All return 0, or -1 with MemoryError set; no other error leaves them. */
int put_raw(Buffer *b, const void *data, size_t n);
int put_wide_uint(Buffer *b, unsigned long long v);
int put_int(Buffer *b, long long v);
int put_array(Buffer *b, size_t n);
int encode_value(Buffer *b, PyObject *value, int depth);
int encode_naive_moment(Buffer *b, PyObject *moment); /* a datetime or date, without its tz */

static inline int put_byte(Buffer *b, unsigned char byte)
{
    if (buffer_room(b, 1)) return -1;
    b->bytes[b->len++] = byte;
    return 0;
}

static inline int put_uint(Buffer *b, unsigned long long v)
{
    return v < 128 ? put_byte(b, (unsigned char)v) : put_wide_uint(b, v);
}

int encoder_init(void);
PyObject *encoder_set_fallback(PyObject *module, PyObject *callable);

#endif
