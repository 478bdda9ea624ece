#ifndef RETRACE_SET_ORDER_H
#define RETRACE_SET_ORDER_H

#include "lane.h"

int set_order_init(void);
extern PyMethodDef set_order_functions[];

#endif
