/* What a target is written against, built in or user's own.
 *
 * A target is a log density on R^d, known up to a constant.  The smallest useful one is a function
 * of one point and a table of a few lines:
 *
 *     #include <dunlin/target.h>
 *     static double point(const void *self, const double *x, double *gradient) { ... }
 *     const struct dun_target dun_target_mine = {
 *         .type = {DUN_TYPE(struct dun_target), .name = "mine", .doc = "What it is."},
 *         .dimension = 2,
 *         .point = point,
 *     };
 *
 * Compiled alone (`cc -shared -fPIC -I include -o mine.so mine.c`) it is loaded with
 * `target: {type: library, file: mine.so}`; put into src/targets/ as mine.c it is built in.
 *
 * Targets never communicate and must give the same bits for the same point.  They may keep tables
 * in their own struct, but evaluation takes it `const`.
 *
 * Scratch: a process makes one call at a time, so that functions may write to arrays that `init`
 * allocated and the struct points to (`free` gives them back), of any size; nothing in them may
 * matter for the next call.  Small arrays may stand on the stack, of which there are some
 * megabytes.  `rows`, `columns`, `prior` and `observed` are given `work` beside that. */
#ifndef DUNLIN_TARGET_H
#define DUNLIN_TARGET_H

#include <stddef.h>

/* Raised when anything in this file changes; a library built against another number is refused. */
enum { DUN_ABI = 7 };

/* Number of points in a full tile, and the length of every lane array. */
enum { DUN_LANES = 64 };

/* ---- options: each exists once, as a row ------------------------------------------------- */

/* How the option's value is written in an input, and what the member at `offset` is. */
enum dun_option_type {
  DUN_INTEGER,  /* long long: 65536, 65_536, 6e4 */
  DUN_NUMBER,   /* double: finite */
  DUN_FLAG,     /* int: true or false */
  DUN_CHOICE,   /* int: the index of one of the words in `words` */
  DUN_TEXT,     /* char *: NULL when not given; owned by the reader */
  DUN_DURATION, /* double: seconds; written 90, 90s, 20min, 3h or 1d */
  DUN_NUMBERS,  /* struct dun_numbers: one number or a list */
  DUN_MATRIX,   /* struct dun_matrix: a list of lists of equal lengths */
  DUN_FILE,     /* char *: a path, relative to the input's folder or DUNLIN_DATA; NULL: not given */
  DUN_DATA,     /* struct dun_data: a file's whole content */
  DUN_SECTION,  /* a nested mapping with `rows` of its own, offsets relative to this member */
  DUN_PART,   /* struct dun_part: a nested mapping {type: NAME, ...} of a type of the row's `kind`;
                 * `initial` may be a name alone, a type with its defaults; "": may be left out */
  DUN_PARTS,  /* struct dun_parts: a list of them */
  DUN_GONE,   /* no more: refused where it is given, with `doc`, which names what to write */
  DUN_ARRAYS, /* struct dun_arrays: what a JSON or CSV file holds, parsed (dunlin/data.h) */
};

struct dun_numbers {
  long long count;
  double *value; /* [count], owned by the reader */
};

struct dun_matrix {
  long long rows, columns;
  double *value; /* [rows][columns], owned by the reader */
};

struct dun_data {
  char *path;  /* as found; NULL: not given */
  char *bytes; /* [size], followed by a zero byte */
  long long size;
};

enum { DUN_ARRAY_RANK = 4 };

/* Numbers that a file has under one name: "y": 3.5, "y": [1, 2], "y": [[1, 2], [3, 4]], ..., or a
 * column of a table. */
struct dun_array {
  const char *name;
  int rank; /* 0: one number, 1: a list, 2: a list of lists, ... */
  long long shape[DUN_ARRAY_RANK];
  long long count;     /* of all numbers, 1 of rank 0 */
  const double *value; /* [count], the last axis is the fastest; finite.  NULL: no numbers, and */
  const char *fault;   /* what they are instead, with the line; else NULL */
};

struct dun_arrays {
  char *path; /* as found; NULL: not given */
  int count;
  const struct dun_array *array; /* [count], in the order of the file; owned by the reader */
};

struct dun_type;

/* An object that an input names. */
struct dun_part {
  const struct dun_type *type; /* NULL: not given */
  void *self;                  /* the type's own struct; owned by the reader, which frees it */
  int line, column;            /* where the input names it, for messages */
};

struct dun_parts {
  int count;
  struct dun_part *part; /* [count], owned by the reader */
};

/* One option of a type.  A list of rows ends with a row whose name is NULL. */
struct dun_option {
  const char *name;
  enum dun_option_type type;
  size_t offset;           /* of the member in the type's own struct */
  const char *initial;     /* default, written as in an input; NULL: must be given; "": may be left
                             * out (texts and files are then NULL, lists empty) */
  double minimum, maximum; /* bounds of numbers, of list entries and of durations; both 0: none */
  const char *unit;        /* NULL: none */
  const char *doc;         /* one sentence */
  const char *words;       /* DUN_CHOICE: the words, "first|second".  INTEGER, NUMBER: words
                             * that may stand for a number, stored as -1, -2, ... */
  const char *when;        /* "name=first|second": the row is meaningful only if the choice `name`
                             * among its siblings is one of these; given otherwise, it is refused */
  const struct dun_option *rows; /* DUN_SECTION */
  int kind;                      /* DUN_PART, DUN_PARTS: enum dun_kind of src/base/type.h */
};

/* ---- the head that every type of every kind begins with ---------------------------------- */

struct dun_state; /* src/base/type.h: what a checkpoint holds; targets have none */

struct dun_type {
  int abi;                          /* DUN_ABI */
  size_t table_size, option_size;   /* of the table of operations and of an option row */
  const char *name;                 /* as inputs write it */
  const char *doc;                  /* one sentence */
  const char *citation;             /* NULL: none */
  size_t size;                      /* of the type's own struct, zeroed before options are set */
  const struct dun_option *options; /* NULL: none */
  const struct dun_state *state;    /* NULL: none */
  void (*free)(void *self);         /* what `init` allocated; safe twice and after a failed init;
                                     * option values, nested parts too, belong to the reader.
                                     * NULL: nothing */
  int (*restore)(void *self);       /* called after a checkpoint gave the state rows back, of
                                     * nested parts first; < 0: failed.  NULL: nothing to make
                                     * from them */
};

#define DUN_TYPE(table)                                                                            \
  .abi = DUN_ABI, .table_size = sizeof(table), .option_size = sizeof(struct dun_option)

/* ---- parameters as users know them ------------------------------------------------------- */

enum { DUN_MAX_SHAPE = 2 };

/* Where a parameter of a `constrained` target lives.  Bounds are lower and upper of its row. */
enum dun_transform {
  DUN_UNBOUNDED,
  DUN_POSITIVE,
  DUN_ABOVE,   /* lower */
  DUN_BELOW,   /* upper */
  DUN_BETWEEN, /* lower and upper */
  DUN_ORDERED, /* a vector whose entries rise */
  DUN_POSITIVE_ORDERED,
  DUN_SIMPLEX,            /* a vector of at least 2 positive entries with sum 1 */
  DUN_UNIT_VECTOR,        /* of at least 2 entries and length 1 */
  DUN_PERIODIC,           /* a scalar in [lower, upper), whose ends are one point */
  DUN_CORRELATION_FACTOR, /* the lower Cholesky factor L[k][k], k >= 2, of a correlation matrix */
};

/* One named output variable, of shape[0] × shape[1] numbers; a scalar has rank 0. */
struct dun_parameter {
  char name[64];
  int rank;
  int shape[DUN_MAX_SHAPE];
  const char *doc;
  const char *const *label; /* [shape[0]]: names of the entries along the first axis, the target's
                             * own, UTF-8 of at most 255 bytes; NULL: they have numbers, from 0 */
  enum dun_transform transform; /* of a `constrained` target; of others 0 */
  double lower, upper;          /* its bounds, where the transform has them */
};

/* Reasons for refusal are written here by `init`; `size` bytes. */
struct dun_message {
  char *text;
  size_t size;
};

/* ---- what is left of a target that was seen through noise ------------------------------------ */

/* What the coordinates of points may be.  Kernels that move on reals refuse the others. */
enum dun_support {
  DUN_REALS,
  DUN_SPINS,   /* -1 and +1 */
  DUN_LETTERS, /* 0, 1, ... q - 1 */
};

/* The laws proportional to pi(x) exp(<h, x> - lambda <x, scale x> / 2), one for each lane: the
 * posterior of x when y = g x + noise of variance v was seen, with h = g y / v, lambda = g^2 / v,
 * whatever the path or process that it came through; of spins, which have x^2 = 1, lambda does not
 * matter.  `tilts` of the target says which members beside `mean` it can fill: others are NULL,
 * and so are those that are not wanted.  Arrays are aligned to 64 bytes and do not overlap. */
struct dun_tilted {
  int n;                /* lanes that hold something; the others repeat lane 0 */
  const double *h;      /* [d][64] */
  const double *lambda; /* [64], finite and >= 0 */
  const double *scale;  /* [d], > 0; NULL: all 1 */
  int label;            /* 1, 2, ...: of this component of a mixture alone, in the order of `modes`,
                         * with its weight; 0: of the whole target */
  double *mean;         /* [d][64] written: E x; of spins their magnetisations */
  double *log_mass;     /* [64] written: log of the integral, or sum, with pi as the density has it:
                         * log_evidence where h and lambda are 0 */
  double *spread;       /* [64] written: trace of the covariance */
  double *draw;         /* [d][64] written: an exact draw, from `uniform` and `normal` */
  const double *uniform, *normal; /* draw_uniforms and draw_normals columns, as of `draw` below */

  /* Of targets that give DUN_TILTED_MATRIX, at most DUN_TILTED_MOST coordinates, in the place of
   * lambda and scale: a matrix M >= 0 of each lane, so that the law is in proportion to pi(x)
   * exp(<h, x> - <x, M x> / 2).  Lower triangles by rows, entry (i, j <= i) at i (i + 1) / 2 + j:
   * [d (d + 1) / 2][64], all three NULL or none. */
  const double *precision; /* M */
  double *covariance;      /* written: the law's covariance */
  double *spare;           /* scratch */
};

enum {
  DUN_TILTED_MASS = 1,
  DUN_TILTED_SPREAD = 2,
  DUN_TILTED_DRAW = 4,
  DUN_TILTED_SCALE = 8,
  DUN_TILTED_LABEL = 16, /* components have labels, as many as `modes` tells */
  DUN_TILTED_MATRIX = 32 /* `precision` is taken, and `covariance` written, with all else */
};
enum { DUN_TILTED_MOST = 128 };

/* ---- the target --------------------------------------------------------------------------------
 *
 * Log densities: a point outside the support is -INFINITY with zero gradient, never an error; a NaN
 * counts as outside and is counted in the diagnosis.  Exactly one of `point`, `rows`, `columns` is
 * given.  Columns are arrays [..][DUN_LANES]: coordinate j of lane l is x[j * DUN_LANES + l].
 * Arrays are aligned to 64 bytes. */
struct dun_target {
  struct dun_type type;

  /* After the options are set: checks them, builds tables.  < 0: refused, the reason in `why`. */
  int (*init)(void *self, struct dun_message why);

  /* The dimension d: fixed, or (if 0) told by the function after init. */
  int dimension;

  /* 1: there is no gradient, neither of the density nor of the prior, and the pointers for it are
   * always NULL.  Kernels and finishes that need one then refuse the target; rwm does not. */
  int no_gradient;

  int (*dimension_of)(const void *self);

  /* 1: the density is written in terms of the parameters, and `point`, which alone of the three
   * layouts is allowed then, gets theta, their entries one after the other, and writes the gradient
   * with respect to them.  Dunlin samples unconstrained coordinates, of which theta is made by each
   * parameter's `transform`, whose Jacobian it adds; the dimension follows from `parameters`.  The
   * density is with respect to the lengths, or for DUN_SIMPLEX, DUN_UNIT_VECTOR and
   * DUN_CORRELATION_FACTOR to what is listed here: all entries but the last; the sphere's surface,
   * on which entries beside it have no say; the entries below the diagonal.  `dimension`,
   * `dimension_of`, `constrain`, `prior`, `draw`, `modes`, `lattice` and `tilted` are not given;
   * `draw_prior` writes theta, in columns too, and serves the result's group `prior` alone. */
  int constrained;

  /* POINT: x[d].  Returns the log density; writes gradient[d] unless it is NULL. */
  double (*point)(const void *self, const double *x, double *gradient);

  /* ROWS: x[n][d], n <= DUN_LANES.  Writes lp[n]; writes gradient[n][d] unless it is NULL.  `work`
   * has work_columns(self) * DUN_LANES doubles. */
  void (*rows)(const void *self, int n, const double *x, double *lp, double *gradient,
               double *work);

  /* COLUMNS: x[d][64], every lane a finite point.  Writes lp[64] unless it is NULL.  ADDS
   * scale[lane] * gradient to gradient[d][64] unless that is NULL. */
  void (*columns)(const void *self, const double *x, double *lp, const double *scale,
                  double *gradient, double *work);

  /* Number of columns of scratch for `rows`, `columns`, `prior` and `observed`; NULL: none. */
  int (*work_columns)(const void *self);

  /* The normalised prior, if the density is prior × likelihood; always in columns, as `columns`
   * above.  With `draw_prior` it can be the base of a path. */
  void (*prior)(const void *self, const double *x, double *lp, const double *scale,
                double *gradient, double *work);

  /* Exact draws in columns, x[d][64], of the prior and of the target itself, each from
   * draw_uniforms columns of uniforms in (0, 1] and draw_normals columns of standard normals (of
   * either -1: one for each coordinate).  Both use the same numbers of columns.  NULL: none. */
  int draw_uniforms, draw_normals;
  void (*draw_prior)(const void *self, const double *uniform, const double *normal, double *x);
  void (*draw)(const void *self, const double *uniform, const double *normal, double *x);

  /* The log of the normalising constant; NULL or NAN: unknown. */
  double (*log_evidence)(const void *self);

  /* Fills at most `capacity` rows with the output parameters and returns how many there are;
   * `theta` of `constrain` has their entries one after the other.  NULL: one variable x of shape
   * [d]; `constrain` NULL: theta is x. */
  int (*parameters)(const void *self, int capacity, struct dun_parameter *parameter);
  void (*constrain)(const void *self, const double *x, double *theta);

  /* The log likelihood of each observation, for comparisons of models (the result's group
   * log_likelihood, where output.log_likelihood asks for it): `likelihood` fills rows as
   * `parameters` does, named and shaped like the data, and `log_likelihood` writes all their
   * entries at a point, of a `constrained` target at theta.  Both or none. */
  int (*likelihood)(const void *self, int capacity, struct dun_parameter *variable);
  void (*log_likelihood)(const void *self, const double *x, double *out);

  /* Known modes: returns how many there are; writes at most `capacity` centres [..][d], their
   * shares of the mass and their widths (a standard deviation) where the pointers are not NULL. */
  int (*modes)(const void *self, int capacity, double *centre, double *share, double *width);

  /* Coordinates that are the sites of a periodic lattice: the number of axes, 1 to 3, and the sides
   * size[0] × ... = d; the last axis is the fastest.  Returns 0; < 0: with these options there is
   * none.  NULL: never.  What moves in Fourier space asks for it. */
  int (*lattice)(const void *self, int *axes, int size[3]);

  /* What the coordinates are; 0: reals. */
  enum dun_support support;
  /* Of spins and letters, for kernels that move one coordinate at a time.  `letters`: how many
   * there are, from 2 on; NULL: the two of spins.  `site` writes value[letters][64]: the log
   * density with -1 and +1, or 0, 1, ..., at coordinate j in place of what x[d][64] has there, but
   * for a number that the letters of a lane have in common. */
  int (*letters)(const void *self);
  void (*site)(const void *self, int j, const double *x, double *value);
  /* Of spins with log pi(x) = <x, A x> / 2 + <h, x>, A symmetric and 0 on its diagonal: writes rows
   * first to first + count - 1 of A, row[count][d], and of h, field[count].  With it field amp can
   * give every rank its own rows.  NULL: the density is another, or its rows are not to be had. */
  void (*couplings)(const void *self, int first, int count, double *row, double *field);

  /* Closed forms of the laws of struct dun_tilted; `tilts` has the flags DUN_TILTED_... of what it
   * gives beside the mean.  Returns 0; < 0: with these options there are none.  NULL: never. */
  int (*tilted)(const void *self, const struct dun_tilted *tilted, double *work);
  unsigned tilts;

  /* 0: with these options the density has no prior, and nobody asks for `prior` and `draw_prior`.
   * NULL: it has one where they are given. */
  int (*has_prior)(const void *self);

  /* The likelihood in parts, of a density that is the prior, or 1 where there is none, times a
   * product over observations 0, ..., observations(self) - 1: the log likelihood of `count` of
   * them, which[count], each at most once and in any order, always in columns, as `columns` above.
   * It should cost in proportion to their number: path data then takes one batch after the other.
   * Both or none; not of `constrained` targets. */
  int (*observations)(const void *self);
  void (*observed)(const void *self, int count, const int *which, const double *x, double *lp,
                   const double *scale, double *gradient, double *work);
};

#endif
