// SPDX-License-Identifier: Apache-2.0

package multicall

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Reporter tells a person how far the build is. Progress may be called often;
// the reporter decides how much of it to show.
type Reporter interface {
	// Line says something that stays.
	Line(format string, args ...any)
	// Progress replaces what the last Progress said.
	Progress(format string, args ...any)
	// EndProgress ends a row of Progress calls.
	EndProgress()
}

// plainEvery is how often progress is shown where lines cannot be overwritten.
const plainEvery = 15 * time.Second

// terminalEvery is how often the one line on a terminal is written again.
const terminalEvery = 100 * time.Millisecond

// writerReporter reports to a terminal (one line, overwritten) or to a file or
// pipe (a line now and then).
type writerReporter struct {
	out      io.Writer
	terminal bool
	now      func() time.Time
	last     time.Time // of the last Progress shown
	open     bool      // a progress line stands without its line break
}

// NewReporter reports to out; terminal says that out can overwrite a line.
func NewReporter(out io.Writer, terminal bool) Reporter {
	return &writerReporter{out: out, terminal: terminal, now: time.Now, last: time.Now()}
}

func (r *writerReporter) Line(format string, args ...any) {
	r.EndProgress()
	fmt.Fprintf(r.out, format+"\n", args...)
}

func (r *writerReporter) Progress(format string, args ...any) {
	every := plainEvery
	if r.terminal {
		every = terminalEvery
	}
	if r.now().Sub(r.last) < every {
		return
	}
	r.last = r.now()
	if !r.terminal {
		fmt.Fprintf(r.out, format+"\n", args...)
		return
	}
	// Back to the first column, then clear to the end of the line.
	fmt.Fprintf(r.out, "\r\x1b[K"+format, args...)
	r.open = true
}

func (r *writerReporter) EndProgress() {
	if r.open {
		fmt.Fprintln(r.out)
		r.open = false
	}
}

// since is the time passed since begin, in whole seconds.
func since(begin time.Time) string {
	return time.Since(begin).Round(time.Second).String()
}

// thousands writes 1450 as "1,450".
func thousands(n int) string {
	digits := strconv.Itoa(n)
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, groups...), ",")
}
