// SPDX-License-Identifier: Apache-2.0

package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// sleeper starts a process that stays until the test ends and is reaped at once
// when it dies, as init reaps an orphan.
func sleeper(t *testing.T, argv ...string) Identity {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reaped := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(reaped)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-reaped
	})
	id, err := Of(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAliveOnlyForTheVerySameProcess(t *testing.T) {
	self, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	if !self.Alive() {
		t.Fatalf("%+v does not know itself", self)
	}
	others := map[string]func(*Identity){
		"pid was reused later":           func(id *Identity) { id.Started += "1" },
		"pid was reused by another file": func(id *Identity) { id.Exe = "/bin/other" },
		"start time unknown":             func(id *Identity) { id.Started = "" },
		"executable unknown":             func(id *Identity) { id.Exe = "" },
		"no pid":                         func(id *Identity) { id.PID = 0 },
		"every process of the group":     func(id *Identity) { id.PID = -id.PID },
	}
	for name, change := range others {
		t.Run(name, func(t *testing.T) {
			id := self
			change(&id)
			if id.Alive() {
				t.Errorf("%+v passes for alive", id)
			}
			if err := id.Signal(syscall.Signal(0)); !errors.Is(err, ErrGone) {
				t.Errorf("Signal: %v, want ErrGone", err)
			}
		})
	}
}

func TestEndStopsAProcess(t *testing.T) {
	id := sleeper(t, "sleep", "600")
	if err := id.End(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	if id.Alive() {
		t.Error("still alive")
	}
	if err := id.End(time.Second); err != nil {
		t.Errorf("ending it twice: %v", err)
	}
}

func TestEndUsesForceAfterGrace(t *testing.T) {
	id := sleeper(t, "sh", "-c", `trap "" TERM; while :; do sleep 0.05; done`)
	time.Sleep(200 * time.Millisecond) // until the trap is set
	if err := id.End(200 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if id.Alive() {
		t.Error("still alive")
	}
}

func TestZombieIsGone(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		_, err := Of(cmd.Process.Pid)
		if errors.Is(err, ErrGone) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a process that ended and was not waited for: %v, want ErrGone", err)
		}
	}
}

func TestChildStopsAndTellsItsExit(t *testing.T) {
	log, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	child, err := Start([]string{"sh", "-c", "echo hello; exit 3"}, os.Environ(), log)
	if err != nil {
		t.Fatal(err)
	}
	if got := child.Exit(); got != "exit status 3" {
		t.Errorf("Exit: %q", got)
	}
	if forced := child.Stop(time.Second); forced {
		t.Error("a child that has ended needed force")
	}
	if text, _ := os.ReadFile(log.Name()); string(text) != "hello\n" {
		t.Errorf("log: %q", text)
	}
}
