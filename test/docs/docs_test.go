// SPDX-License-Identifier: Apache-2.0

// Package docs_test holds the documentation to the code: links lead somewhere,
// examples compile, and every number and message on a page is what the code says.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// root is the checkout, seen from this package.
const root = "../.."

// page is one Markdown file.
type page struct {
	path  string // from the root
	lines []string
	code  []bool // by line: within a fenced block, fences included
}

// readPage reads one page.
func readPage(t *testing.T, path string) *page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	p := &page{path: path, lines: strings.Split(string(text), "\n")}
	p.code = make([]bool, len(p.lines))
	fenced := false
	for i, line := range p.lines {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		p.code[i] = fenced || fence
		if fence {
			fenced = !fenced
		}
	}
	if fenced {
		t.Fatalf("%s: a fenced block is not closed", path)
	}
	return p
}

// pages are README.md, its neighbours and everything in docs/.
func pages(t *testing.T) []*page {
	t.Helper()
	paths := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, entry fs.DirEntry, err error) error {
		// The template's links are to be filled in.
		if err != nil || filepath.Ext(path) != ".md" || entry.Name() == "template.md" {
			return err
		}
		relative, err := filepath.Rel(root, path)
		paths = append(paths, filepath.ToSlash(relative))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []*page
	for _, path := range paths {
		all = append(all, readPage(t, path))
	}
	return all
}

var (
	heading    = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
	link       = regexp.MustCompile(`\]\(([^()\s]+)\)|\ssrc="([^"]+)"`)
	inlineCode = regexp.MustCompile("`[^`]*`")
	linkText   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	anchorID   = regexp.MustCompile(`\s(?:id|name)="([^"]+)"`)
)

// anchors are what a link into the page may name: its headings as GitHub
// writes them, and the ids of its HTML.
func (p *page) anchors() map[string]bool {
	found := map[string]bool{}
	times := map[string]int{}
	for i, line := range p.lines {
		if p.code[i] {
			continue
		}
		for _, id := range anchorID.FindAllStringSubmatch(line, -1) {
			found[id[1]] = true
		}
		if title := heading.FindStringSubmatch(line); title != nil {
			name := slug(title[1])
			if n := times[name]; n > 0 {
				found[name+"-"+string(rune('0'+n))] = true
			} else {
				found[name] = true
			}
			times[name]++
		}
	}
	return found
}

// slug is the anchor that GitHub gives a heading.
func slug(title string) string {
	title = strings.ReplaceAll(linkText.ReplaceAllString(title, "$1"), "`", "")
	var out strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r == ' ':
			out.WriteByte('-')
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			out.WriteRune(r)
		}
	}
	return out.String()
}

// links are the targets of the page's links that lead to files, by line.
func (p *page) links() map[int][]string {
	found := map[int][]string{}
	for i, line := range p.lines {
		if p.code[i] {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(inlineCode.ReplaceAllString(line, "`"), -1) {
			target := m[1] + m[2]
			if !strings.Contains(target, "://") && !strings.HasPrefix(target, "mailto:") {
				found[i+1] = append(found[i+1], target)
			}
		}
	}
	return found
}

func TestLinksLeadSomewhere(t *testing.T) {
	for _, p := range pages(t) {
		for line, targets := range p.links() {
			for _, target := range targets {
				if why := p.broken(t, target); why != "" {
					t.Errorf("%s:%d: %s: %s", p.path, line, target, why)
				}
			}
		}
	}
}

// broken says what is wrong with a link, or "".
func (p *page) broken(t *testing.T, target string) string {
	t.Helper()
	file, anchor, _ := strings.Cut(target, "#")
	path := p.path
	if file != "" {
		path = filepath.ToSlash(filepath.Join(filepath.Dir(p.path), file))
	}
	if _, err := os.Stat(filepath.Join(root, path)); err != nil {
		if path == "docs/reference/api.md" {
			return "it is written by `make docs`"
		}
		return "there is no such file"
	}
	if anchor != "" && !readPage(t, path).anchors()[anchor] {
		return "there is no such heading in " + path
	}
	return ""
}

// mark is an HTML comment of a line of its own: "example: a=b" has the name
// example and the text a=b.
type mark struct {
	page *page
	line int // index of the line
	text string
}

var comment = regexp.MustCompile(`^<!-- ([a-z -]+?)(?::\s*(.*?))? -->$`)

// marks finds the comments of a name.
func (p *page) marks(name string) []mark {
	var found []mark
	for i, line := range p.lines {
		if m := comment.FindStringSubmatch(line); len(m) > 2 && m[1] == name {
			found = append(found, mark{p, i, m[2]})
		}
	}
	return found
}

// only is the one mark of a name and text.
func (p *page) only(t *testing.T, name, text string) mark {
	t.Helper()
	for _, m := range p.marks(name) {
		if m.text == text {
			return m
		}
	}
	t.Fatalf("%s: the mark <!-- %s: %s --> is missing", p.path, name, text)
	return mark{}
}

// table is the cells of the next table, without its head. Stars and blanks
// around a cell are taken off.
func (m mark) table(t *testing.T) [][]string {
	t.Helper()
	var rows [][]string
	for i := m.line + 1; i < len(m.page.lines); i++ {
		line, isRow := strings.CutPrefix(m.page.lines[i], "| ")
		if strings.HasPrefix(line, "|-") || !isRow && len(rows) == 0 {
			continue
		}
		if !isRow {
			break
		}
		cells := strings.Split(strings.TrimSuffix(line, "|"), " |")
		for j := range cells {
			cells[j] = strings.Trim(cells[j], " *")
		}
		rows = append(rows, cells)
	}
	if len(rows) < 2 {
		t.Fatalf("%s:%d: no table follows", m.page.path, m.line+1)
	}
	return rows[1:]
}

// block is the content of the next fenced block, which must be of that kind.
func (m mark) block(t *testing.T, kind string) string {
	t.Helper()
	for i := m.line + 1; i < len(m.page.lines); i++ {
		if !m.page.code[i] {
			continue
		}
		if m.page.lines[i] != "```"+kind {
			t.Fatalf("%s:%d: a block of %s has to follow", m.page.path, m.line+1, kind)
		}
		end := i + 1
		for m.page.lines[end] != "```" {
			end++
		}
		return strings.Join(m.page.lines[i+1:end], "\n")
	}
	t.Fatalf("%s:%d: no block follows", m.page.path, m.line+1)
	return ""
}

// code takes the backquotes off a cell.
func code(cell string) string { return strings.Trim(cell, "`") }
