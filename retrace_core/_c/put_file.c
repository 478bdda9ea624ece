#include "put_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

static int no_exclusive_rename;

/* A rename that fails where the new name is taken; 0, or an errno. */
static int rename_exclusively(const char *from, const char *to)
{
#if defined(__linux__) && defined(SYS_renameat2)
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1u) ? errno : 0;
#elif defined(__APPLE__)
    return renamex_np(from, to, RENAME_EXCL) ? errno : 0;
#else
    (void)from;
    (void)to;
    return ENOSYS;
#endif
}

static int write_whole(int handle, const char *data, Py_ssize_t size)
{
    while (size > 0) {
        ssize_t n = write(handle, data, (size_t)size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        data += n;
        size -= n;
    }
    return 0;
}

static int put(const char *trace, const char *place, const char *temporary, const char *path,
               const char *data, Py_ssize_t size)
{
    if (mkdir(trace, 0700) || mkdir(place, 0700)) return -1;
    int handle = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (handle < 0) return -1;
    int failed = write_whole(handle, data, size);
    failed = close(handle) || failed;
    int refused = failed ? 0 : rename_exclusively(temporary, path);
    if (refused && refused != EEXIST) no_exclusive_rename = 1;
    if (failed || refused) unlink(temporary);
    return failed || refused ? -1 : 0;
}

static PyObject *put_file(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    (void)module;
    const char *names[4];
    char *data;
    Py_ssize_t size;
    if (n != 5) {
        PyErr_SetString(PyExc_TypeError, "put_file(trace, place, temporary, path, data)");
        return NULL;
    }
    for (int i = 0; i < 4; i++) {
        Py_ssize_t length;
        if (!(names[i] = PyUnicode_AsUTF8AndSize(args[i], &length))) return NULL;
        if (strlen(names[i]) != (size_t)length) {
            PyErr_SetString(PyExc_ValueError, "embedded null character");
            return NULL;
        }
    }
    if (PyBytes_AsStringAndSize(args[4], &data, &size)) return NULL;
    if (no_exclusive_rename) Py_RETURN_FALSE;
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = put(names[0], names[1], names[2], names[3], data, size);
    Py_END_ALLOW_THREADS
    return PyBool_FromLong(!failed);
}

PyMethodDef put_file_functions[] = {
    {"put_file", (PyCFunction)(void (*)(void))put_file, METH_FASTCALL,
     "Make the two folders and the file, all new; False when anything stood in the way."},
    {NULL, NULL, 0, NULL},
};
