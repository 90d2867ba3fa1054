// Mixed has C units in its debug information, with forms and attributes that Go never uses.
package main

/*
#include <stdlib.h>
#include <string.h>

enum colour { RED, GREEN = 7 };
union either { int number; float real; };
struct pair { int left; union either right; enum colour colour; struct pair *next; int bits : 3; };

static int in_c_only = 5;
static __thread int of_this_thread = 6;

static inline int add(struct pair *p, int n) { p->left += n; return p->left; }

int sum(struct pair *p, int n) {
	int total = in_c_only + of_this_thread;
	for (int i = 0; i < n; i++) {
		volatile int step = add(p, i);
		total += step;
	}
	return total + (int)strlen("text");
}
*/
import "C"

var shared C.struct_pair

var total int

func main() {
	total = int(C.sum(&shared, 3))
	println(total)
}
