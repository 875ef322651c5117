// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// folder writes files into a folder of the test; a name that ends in .gz is compressed.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".gz") {
			text = string(packed(text))
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func packed(text string) []byte {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, err := writer.Write([]byte(text))
	if err = errors.Join(err, writer.Close()); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// read is the lines that Open gives, as FILE:NUMBER TEXT, without the folder.
func read(root string, stdin io.Reader, paths ...string) (lines []string, err error) {
	for i, path := range paths {
		if path != "-" {
			paths[i] = filepath.Join(root, path)
		}
	}
	for line, err := range Open(paths, stdin) {
		if err != nil {
			return lines, err
		}
		lines = append(lines, strings.TrimPrefix(line.String(), root+"/")+" "+string(line.Raw))
	}
	return lines, nil
}

func TestOpen(t *testing.T) {
	t.Parallel()
	const first, second = "audit-20261122T201312.123456Z.log", "audit-20261123T000000.000000Z.log"
	files := map[string]string{
		"pod-0/audit.log": "c\nd", "pod-0/" + first + ".gz": "a\n", "pod-0/" + second: "b\n", "pod-0/" + second + ".gz": "copy\n",
		"pod-0/audit-other.log": "x\n", "pod-0/audit-20261122T201312.123456Z.txt": "y\n", "pod-0/anchors.yaml": "z\n", "pod-0/.hidden.log": "h\n",
		"pod-1/audit.log": "3\n", "pod-1/audit.log.1": "2\n", "pod-1/audit.log.12.gz": "1\n", "pod-1/..data/audit.log": "h\n", "empty/notes.txt": "",
	}
	root := folder(t, files)
	set := []string{"pod-0/" + first + ".gz:1 a", "pod-0/" + second + ":1 b", "pod-0/audit.log:1 c", "pod-0/audit.log:2 d"}
	counted := []string{"pod-1/audit.log.12.gz:1 1", "pod-1/audit.log.1:1 2", "pod-1/audit.log:1 3"}
	other := "pod-0/audit-other.log:1 x"
	for name, c := range map[string]struct{ paths, want []string }{
		"a file with those rotated out of it": {[]string{"pod-0/audit.log"}, set},
		"those of logrotate":                  {[]string{"pod-1/audit.log"}, counted},
		"a rotated file alone":                {[]string{"pod-0/" + second}, set[1:2]},
		"each once":                           {[]string{"pod-0/" + second, "pod-0/audit.log", "pod-0/../pod-0/audit.log"}, []string{set[1], set[0], set[2], set[3]}},
		"a folder":                            {[]string{"pod-0"}, append([]string{other}, set...)},
		"folders below":                       {[]string{"."}, append(append([]string{other}, set...), counted...)},
		"standard input":                      {[]string{"-", "pod-1/audit.log.1", "-"}, []string{"standard input:1 in", counted[1]}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := read(root, strings.NewReader("in\n"), c.paths...)
			if err != nil || strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("%v, got\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
	for name, paths := range map[string][]string{"no such file": {"nowhere.log"}, "no logs in it": {"empty"}, "the second is missing": {"pod-1/audit.log", "gone.log"}} {
		if _, err := read(root, nil, paths...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A file that is rotated out while the set is read is read once, also as one of a folder.
func TestOpenWhileItIsRotated(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"audit.log", "."} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			openWhileItIsRotated(t, path)
		})
	}
}

func openWhileItIsRotated(t *testing.T, path string) {
	t.Helper()
	root := folder(t, map[string]string{"audit.log": "b\n", "audit-20261122T201312.123456Z.log": "a\n"})
	var got []string
	for line, err := range Open([]string{filepath.Join(root, path)}, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, string(line.Raw)); len(got) == 1 {
			err := errors.Join(os.Rename(filepath.Join(root, "audit.log"), filepath.Join(root, "audit-20261122T201313.000000Z.log")),
				os.WriteFile(filepath.Join(root, "audit.log"), []byte("c\n"), 0o600))
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if strings.Join(got, "") != "ab" {
		t.Errorf("got %q", got)
	}
}

func TestLinesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	whole := packed(strings.Repeat("a line\n", 1000))
	for name, c := range map[string]struct {
		from io.Reader
		want string
	}{
		"too long":           {strings.NewReader("a\n" + strings.Repeat("x", MaxLine+1)), "f:2: the line has more than 8 MiB"},
		"cut gzip":           {bytes.NewReader(whole[:len(whole)-9]), "the file ends in the middle of what gzip has packed"},
		"a gzip header only": {bytes.NewReader(whole[:4]), "f:1: unpack: the text ends too early"},
		"spoilt gzip":        {bytes.NewReader(append(whole[:len(whole)-5:len(whole)-5], 0, 0, 0, 0, 0)), "gzip: invalid checksum"},
		"a disk that fails":  {iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("abcdef"))), "f:1: timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var last error
			for _, err := range Lines("f", c.from) {
				last = err
			}
			var at *LineError
			if !errors.As(last, &at) || !strings.Contains(last.Error(), c.want) {
				t.Errorf("got %v", last)
			}
			if errors.Is(last, io.EOF) {
				t.Error("it passes for the end")
			}
		})
	}
}

// What cannot be read on is a fault of the trail.
func TestVerifyWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newSmall()
	whole := packed(string(text(s.lines)))
	report, err := Verify(t.Context(), Lines("f.gz", bytes.NewReader(whole[:len(whole)-9])), s.options())
	if err != nil || report.Sound() || !strings.Contains(fmt.Sprint(report.Faults), "cannot be read on from here") {
		t.Errorf("%v, %+v", err, report)
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	s := newSmall()
	passed, records := 0, 0
	for record, err := range Records(linesOf(text(s.lines)), func(line Line, err error) {
		passed++
		if line.Number != s.torn+1 || !strings.Contains(err.Error(), fmt.Sprintf("file0:%d", s.torn+1)) {
			t.Errorf("%s was passed over: %v", line, err)
		}
	}) {
		if err != nil || record.Event == "" {
			t.Fatal(record, err)
		}
		records++
	}
	if passed != 1 || records != len(s.lines)-1 {
		t.Errorf("%d records, %d passed over", records, passed)
	}
	if _, err := (Line{File: "f", Number: 3, Raw: []byte(`{"a":1}`)}).Record(); err == nil || !strings.Contains(err.Error(), "f:3: ") {
		t.Errorf("got %v", err)
	}
}

// Who interrupts it need not wait for a pipe in which nothing comes.
func TestVerifyEndsWithoutInput(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	silent, _ := io.Pipe()
	defer silent.Close()
	waits := func(yield func(Line, error) bool) {
		cancel()
		Lines("silent", silent)(yield)
	}
	done := make(chan error, 1)
	go func() {
		_, err := Verify(ctx, waits, VerifyOptions{})
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("it waits for input")
	}
}
