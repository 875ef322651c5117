// SPDX-License-Identifier: Apache-2.0

package sdk_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	cmd := python(t, pytestTakes, "-m", "pytest", "-ra", "--durations=5", "-p", "no:cacheprovider",
		"-o", "faulthandler_timeout=300", "--color=no")
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
	last := regexp.MustCompile(`(?m)^=+ (\d+ passed.*) =+$`).FindStringSubmatch(out)
	if last == nil || strings.Contains(last[1], "skipped") || strings.Contains(last[1], "deselected") {
		t.Fatalf("not every test ran:\n%s", tail(out))
	}
	t.Log(last[1])
}

// ruff, mypy --strict and vermin, as `make python-lint` runs them.
func TestPythonLint(t *testing.T) {
	dependOnCheckout(t)
	output(t, command(t, lintTakes, "make", "python-lint"))
}

// built is the SDK as users get it: a wheel, made out of the sdist and installed
// where nothing else is.
var built struct {
	once   sync.Once
	temp   string
	folder string
}

func installed(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		temp, err := os.MkdirTemp("", "ascend-wheel-")
		if err != nil {
			t.Fatal(err)
		}
		built.temp = temp
		dist := filepath.Join(temp, "dist")
		// Without isolation: hatchling is in the virtual environment, pinned.
		output(t, python(t, lintTakes, "-m", "build", "--no-isolation", "--outdir", dist))
		wheels, err := filepath.Glob(filepath.Join(dist, "ascend_sdk-*-py3-none-any.whl"))
		if err != nil || len(wheels) != 1 {
			t.Fatalf("wheels: %v, %v", wheels, err)
		}
		if sdists, err := filepath.Glob(filepath.Join(dist, "ascend_sdk-*.tar.gz")); err != nil || len(sdists) != 1 {
			t.Fatalf("sdists: %v, %v", sdists, err)
		}
		folder := filepath.Join(temp, "site")
		output(t, python(t, lintTakes, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
			"--no-index", "--no-deps", "--target", folder, wheels[0]))
		built.folder = folder
	})
	if built.folder == "" {
		t.Fatal("the SDK was not built; an earlier test says why")
	}
	return built.folder
}

// consumer is a program of a user that checks its types.
const consumer = `
from ascend import ActionResult, AgentAction, AscendClient


def ask(client: AscendClient) -> ActionResult:
    return client.submit_action(AgentAction(action_type="database_read"))


def wrong(client: AscendClient) -> int:
    return client.submit_action(AgentAction(action_type="database_read"))  # type: ignore[return-value]
`

// The wheel and the sdist build, and what the wheel installs is importable, whole
// and typed.
func TestPythonPackage(t *testing.T) {
	dependOnCheckout(t)
	site := installed(t)
	source := filepath.Join(checkout(t), "sdk", "python", "src")
	for _, file := range []string{"ascend/py.typed", "ascend/__init__.py", "ascend/aio.py", "ascend/adapters/__init__.py"} {
		if _, err := os.Stat(filepath.Join(source, file)); err != nil {
			t.Errorf("the sources have no %s", file)
		} else if _, err := os.Stat(filepath.Join(site, file)); err != nil {
			t.Errorf("the wheel has no %s", file)
		}
	}
	imported := python(t, time.Minute, "-c", "import ascend, ascend.exceptions, importlib.metadata as m; "+
		"assert m.version('ascend-sdk') == ascend.__version__; print(ascend.__file__)")
	imported.Dir, imported.Env = t.TempDir(), append(imported.Env, "PYTHONPATH="+site)
	if file := strings.TrimSpace(output(t, imported)); !strings.HasPrefix(file, site) {
		t.Errorf("imported %s, not what is in %s", file, site)
	}
	program := filepath.Join(t.TempDir(), "consumer.py")
	if err := os.WriteFile(program, []byte(consumer), 0o600); err != nil {
		t.Fatal(err)
	}
	typed := python(t, lintTakes, "-m", "mypy", "--strict", "--warn-unused-ignores", "--cache-dir", t.TempDir(), "--config-file=", program)
	typed.Dir, typed.Env = filepath.Dir(program), append(typed.Env, "MYPYPATH="+site)
	output(t, typed)
}
