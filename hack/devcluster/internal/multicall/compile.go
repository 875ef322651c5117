// SPDX-License-Identifier: Apache-2.0

package multicall

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// mainPackage is compiled last, so its name in the output means that all that
// is left is to link.
const mainPackage = "github.com/ow-kai/ascend-operator/hack/devcluster/controlplane"

// goBuild compiles the control plane with the go command and reports how far
// it is. It needs no C compiler.
func goBuild(ctx context.Context, source, out string, version Version, say Reporter) error {
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("the control plane is built by Go, and there is no go command in PATH: install %s or put it in PATH", runtime.Version())
	}
	say.Line("building the control plane (Kubernetes %s): the first build compiles some 2,700 packages and takes minutes; afterwards it is cached", version.Git)
	begin := time.Now()
	total, err := countPackages(ctx, source, say)
	if err != nil {
		return err
	}
	args := []string{
		"build", "-v", "-tags=controlplane", "-mod=readonly", "-trimpath", "-buildvcs=false",
		"-ldflags", linkerFlags(version, releaseTime(ctx, source)),
		"-o", out, "./controlplane",
	}
	compiled, linking := 0, false
	tail, err := runGo(ctx, source, args, io.Discard, func(line string) bool {
		if !isPackage(line) {
			return false
		}
		compiled++
		linking = linking || line == mainPackage
		return true
	}, func() { say.Progress("%s, %s", howFar(compiled, total, linking), since(begin)) }, say)
	if err != nil {
		return buildFailed(ctx, err, tail)
	}
	say.Line("built the control plane in %s", since(begin))
	return nil
}

// howFar words the progress of the build. Packages in Go's build cache are not
// compiled, so none compiled means the same as all compiled: the linker works.
func howFar(compiled, total int, linking bool) string {
	if linking || compiled == 0 {
		return fmt.Sprintf("compiled %s packages, linking", thousands(compiled))
	}
	return fmt.Sprintf("compiled %s of about %s packages", thousands(compiled), thousands(total))
}

// countPackages tells how many packages the binary is made of; it downloads the
// modules they are in. Packages that Go's build cache holds already are counted
// too, hence the "about" in what is shown.
func countPackages(ctx context.Context, source string, say Reporter) (int, error) {
	downloaded := 0
	count := &lineCounter{}
	begin := time.Now()
	tail, err := runGo(ctx, source, []string{"list", "-tags=controlplane", "-mod=readonly", "-deps", "./controlplane"}, count, func(line string) bool {
		if !strings.HasPrefix(line, "go: downloading ") {
			return false
		}
		downloaded++
		return true
	}, func() {
		if downloaded > 0 {
			say.Progress("downloaded %d modules, %s", downloaded, since(begin))
		}
	}, say)
	if err != nil {
		return 0, buildFailed(ctx, err, tail)
	}
	return count.lines, nil
}

// releaseTime is when the version of Kubernetes was tagged, "" if the module
// proxy does not tell. It stands for the build date, so that two builds of the
// same version are the same.
func releaseTime(ctx context.Context, source string) string {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-json", "k8s.io/kubernetes")
	cmd.Dir, cmd.Env = source, buildEnv()
	text, err := cmd.Output()
	if err != nil {
		return ""
	}
	var module struct{ Time time.Time }
	if json.Unmarshal(text, &module) != nil || module.Time.IsZero() {
		return ""
	}
	return module.Time.UTC().Format(time.RFC3339)
}

// linkerFlags strips debug information and stamps the version where Kubernetes'
// own release build does. Unstamped, the server calls itself v0.0.0-master,
// which kubectl and Helm refuse or warn about.
func linkerFlags(version Version, date string) string {
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X "+pkg+".gitVersion="+version.Git,
			"-X "+pkg+".gitMajor="+version.Major,
			"-X "+pkg+".gitMinor="+version.Minor,
			"-X "+pkg+".gitTreeState=clean")
		if date != "" {
			flags = append(flags, "-X "+pkg+".buildDate="+date)
		}
	}
	return strings.Join(flags, " ")
}

// buildEnv is the environment of the go command: pure Go, this machine's
// platform, and no workspace.
func buildEnv() []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
}

// runGo runs the go command in dir. Each line of its standard error goes to
// take; what take does not want is the compiler's and comes back, the last 60
// lines of it. tick is called after each line and once a second.
func runGo(ctx context.Context, dir string, args []string, stdout io.Writer, take func(string) bool, tick func(), say Reporter) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env, cmd.Stdout = dir, buildEnv(), stdout
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer say.EndProgress()
	lines := make(chan string)
	go func() {
		defer close(lines)
		scan := bufio.NewScanner(stderr)
		scan.Buffer(nil, 1<<20) // a line of the compiler can be long
		for scan.Scan() {
			lines <- scan.Text()
		}
		_, _ = io.Copy(io.Discard, stderr) // a line too long ends the scan, and must not block the compiler
	}()
	var tail []string
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	for {
		select {
		case line, more := <-lines:
			if !more {
				return tail, cmd.Wait()
			}
			if !take(line) {
				tail = append(tail, line)
				tail = tail[max(0, len(tail)-60):]
			}
		case <-clock.C:
		}
		tick()
	}
}

var packageLine = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~/-]*$`)

// isPackage reports whether a line of `go build -v` is the name of a package
// that is being compiled.
func isPackage(line string) bool { return packageLine.MatchString(line) }

// lineCounter counts the lines written to it.
type lineCounter struct{ lines int }

func (c *lineCounter) Write(text []byte) (int, error) {
	c.lines += strings.Count(string(text), "\n")
	return len(text), nil
}
