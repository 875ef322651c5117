// SPDX-License-Identifier: Apache-2.0

package sdk_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	venvTakes   = 10 * time.Minute // the first time; it downloads
	pytestTakes = 20 * time.Minute
	lintTakes   = 10 * time.Minute
)

// virtualEnvironment is where it was made, or why not.
var virtualEnvironment struct {
	once sync.Once
	path string
}

// venv is the virtual environment that `make venv` makes.
func venv(t *testing.T) string {
	t.Helper()
	v := &virtualEnvironment
	v.once.Do(func() {
		cmd := command(t, venvTakes, filepath.Join("hack", "tools", "venv.sh"))
		v.path = strings.TrimSpace(output(t, cmd))
	})
	if v.path == "" {
		t.Fatal("there is no virtual environment; an earlier test says why")
	}
	return v.path
}

// python is its interpreter with these arguments, in sdk/python.
func python(t *testing.T, timeout time.Duration, args ...string) *exec.Cmd {
	t.Helper()
	cmd := command(t, timeout, filepath.Join(venv(t), "bin", "python"), args...)
	cmd.Dir = filepath.Join(checkout(t), "sdk", "python")
	cmd.Env = append(cmd.Env, "PYTHONDONTWRITEBYTECODE=1", "PYTHONUTF8=1")
	return cmd
}

// The tests of the Python SDK, those that need the cluster too.
func TestPython(t *testing.T) {
	s := theStack(t)
	report := filepath.Join(t.TempDir(), "report.xml")
	cmd := python(t, pytestTakes, "-m", "pytest", "-ra", "--durations=5", "-p", "no:cacheprovider",
		"-o", "faulthandler_timeout=300", "--color=no", "--junit-xml="+report)
	cmd.Env = append(cmd.Env,
		"PYTHONPATH="+filepath.Join(checkout(t), "sdk", "python", "src"),
		"HYPOTHESIS_STORAGE_DIRECTORY="+filepath.Join(t.TempDir(), "hypothesis"),
		"ASCEND_TEST_DIR="+s.dir,
		"ASCEND_TEST_PROXY_URL="+s.proxy.URL,
		"ASCEND_TEST_PROXY_CA="+s.proxy.CAFile,
		"ASCEND_TEST_PROXY_CONTROL="+s.proxy.Control,
	)
	s.proxy.Reset()
	t.Cleanup(s.proxy.Reset)
	out := output(t, cmd)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	summary := lines[len(lines)-1]
	if !strings.Contains(summary, " passed") || strings.Contains(summary, "skipped") || strings.Contains(summary, "deselected") {
		t.Fatalf("not every test ran:\n%s", tail(out))
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `classname="tests.cluster.`) {
		t.Error("no test of sdk/python/tests/cluster ran")
	}
	t.Log(summary)
}

// ruff, mypy --strict and vermin, as `make python-lint` runs them.
func TestPythonLint(t *testing.T) {
	dependOnCheckout(t)
	output(t, command(t, lintTakes, "make", "python-lint"))
}

// built is the SDK as users get it: a wheel, made out of the sdist and installed
// into a virtual environment of its own, which borrows what the SDK needs from
// that of the tools.
var built struct {
	once   sync.Once
	temp   string
	python string // the interpreter of that environment
}

// user is the interpreter of somebody who has installed the SDK.
func user(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		temp, err := os.MkdirTemp("", "ascend-wheel-") //nolint:usetesting // other tests use it, too
		if err != nil {
			t.Fatal(err)
		}
		built.temp = temp
		dist, clean := filepath.Join(temp, "dist"), filepath.Join(temp, "venv")
		// Without isolation: hatchling is in the tools' environment, pinned.
		output(t, python(t, lintTakes, "-m", "build", "--no-isolation", "--outdir", dist))
		wheel := only(t, filepath.Join(dist, "ascend_sdk-*-py3-none-any.whl"))
		only(t, filepath.Join(dist, "ascend_sdk-*.tar.gz"))
		output(t, python(t, lintTakes, "-m", "venv", "--without-pip", clean))
		installed := filepath.Join(clean, "bin", "python")
		output(t, python(t, lintTakes, "-m", "pip", "--python", installed, "install", "--quiet", "--disable-pip-version-check",
			"--no-index", "--no-deps", wheel))
		libraries := only(t, filepath.Join(venv(t), "lib", "python*", "site-packages"))
		borrowed := filepath.Join(only(t, filepath.Join(clean, "lib", "python*", "site-packages")), "borrowed.pth")
		if err := os.WriteFile(borrowed, []byte(libraries+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		built.python = installed
	})
	if built.python == "" {
		t.Fatal("the SDK was not built; an earlier test says why")
	}
	return built.python
}

// only is the one file that the pattern matches.
func only(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %q, %v", pattern, found, err)
	}
	return found[0]
}

// consumer is a program of a user that checks its types.
const consumer = `
from ascend import ActionResult, AgentAction, AscendClient


def ask(client: AscendClient) -> ActionResult:
    return client.submit_action(AgentAction(action_type="database_read"))


def wrong(client: AscendClient) -> int:
    return client.submit_action(AgentAction(action_type="database_read"))  # type: ignore[return-value]
`

// shipped are the files of a package, but for what Python has compiled.
func shipped(t *testing.T, folder string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) == ".pyc" {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		files = append(files, relative)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// The wheel and the sdist build, and what the wheel installs is importable, whole
// and typed.
func TestPythonPackage(t *testing.T) {
	dependOnCheckout(t)
	interpreter := user(t)
	folder := t.TempDir()
	asUser := func(name string, args ...string) string {
		cmd := python(t, lintTakes, args...)
		cmd.Path, cmd.Args[0], cmd.Dir = name, name, folder
		return strings.TrimSpace(output(t, cmd))
	}
	home := asUser(interpreter, "-c", "import ascend, ascend.aio, ascend.exceptions, importlib.metadata as m, os; "+
		"assert m.version('ascend-sdk') == ascend.__version__; print(os.path.dirname(ascend.__file__))")
	if !strings.HasPrefix(home, built.temp) {
		t.Fatalf("imported from %s, not what is in %s", home, built.temp)
	}
	if got, want := shipped(t, home), shipped(t, filepath.Join(checkout(t), "sdk", "python", "src", "ascend")); !slices.Equal(got, want) {
		t.Errorf("installed is %q, and the sources are %q", got, want)
	} else if !slices.Contains(got, "py.typed") {
		t.Error("there is no py.typed")
	}
	program := filepath.Join(folder, "consumer.py")
	if err := os.WriteFile(program, []byte(consumer), 0o600); err != nil {
		t.Fatal(err)
	}
	asUser(filepath.Join(venv(t), "bin", "python"), "-m", "mypy", "--strict", "--warn-unused-ignores", "--config-file=",
		"--cache-dir", filepath.Join(folder, "cache"), "--python-executable", interpreter, program)
}
