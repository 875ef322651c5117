// SPDX-License-Identifier: Apache-2.0

// Command bench reads what `go test -bench` prints, from standard input, and
// writes a table for people and bench.json for programs. Figures of different
// runs, let alone machines, should be compared as ratios only.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// result is one benchmark.
type result struct {
	// Package of the benchmark, and its Name without the prefix Benchmark.
	Package string `json:"package"`
	Name    string `json:"name"`
	// Iterations that were measured.
	Iterations int64 `json:"iterations"`
	// Metrics by unit, each per operation: ns/op, B/op, allocs/op and whatever
	// the benchmark reports itself, such as rules/op.
	Metrics map[string]float64 `json:"metrics"`
}

func main() {
	if err := run(os.Stdin, os.Stdout, "bench.json"); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, file string) error {
	results, err := parse(in)
	if err != nil {
		return err
	}
	if len(results) == 0 {
		return fmt.Errorf("no benchmark in the input; run it as `make bench` does, behind go test -bench")
	}
	if err := table(out, results); err != nil {
		return err
	}
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// parse reads the lines of the benchmark format: a name, the iterations, then
// pairs of value and unit.
func parse(in io.Reader) ([]result, error) {
	var results []result
	var pkg string
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 2 && fields[0] == "pkg:":
			pkg = fields[1][strings.LastIndex(fields[1], "/")+1:]
		case len(fields) >= 4 && strings.HasPrefix(fields[0], "Benchmark"):
			r, err := parseResult(fields)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", lines.Text(), err)
			}
			r.Package = pkg
			results = append(results, r)
		}
	}
	return results, lines.Err()
}

func parseResult(fields []string) (result, error) {
	r := result{Name: strings.TrimPrefix(fields[0], "Benchmark"), Metrics: map[string]float64{}}
	if i := strings.LastIndex(r.Name, "-"); i > 0 { // the number of processors
		r.Name = r.Name[:i]
	}
	var err error
	if r.Iterations, err = strconv.ParseInt(fields[1], 10, 64); err != nil {
		return r, err
	}
	for i := 2; i+1 < len(fields); i += 2 {
		if r.Metrics[fields[i+1]], err = strconv.ParseFloat(fields[i], 64); err != nil {
			return r, err
		}
	}
	return r, nil
}

func table(out io.Writer, results []result) error {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "package\tbenchmark\tµs/op\tB/op\tallocs/op\tits own\t")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%.0f\t%.0f\t%s\t\n",
			r.Package, r.Name, r.Metrics["ns/op"]/1000, r.Metrics["B/op"], r.Metrics["allocs/op"], r.own())
	}
	return w.Flush()
}

// own are the metrics that the benchmark reports beside the usual ones.
func (r result) own() string {
	var out []string
	for _, unit := range slices.Sorted(maps.Keys(r.Metrics)) {
		if unit != "ns/op" && unit != "B/op" && unit != "allocs/op" {
			out = append(out, strconv.FormatFloat(r.Metrics[unit], 'f', -1, 64)+" "+unit)
		}
	}
	return cmp.Or(strings.Join(out, ", "), "-")
}
