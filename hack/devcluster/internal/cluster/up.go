// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/lockfile"
)

// Options say how to run a cluster.
type Options struct {
	Dir         Dir
	Assets      string // folder of etcd, kube-apiserver and kube-controller-manager
	Ports       Ports  // 0 means any free one
	Reset       bool   // throw away what earlier runs stored
	Fsync       bool   // etcd waits for the disk at each write
	AuditPolicy string // the API server's audit policy file; "" means no audit log
	Timeout     time.Duration
	// Extra flags of the API server and the controller manager; they replace
	// defaults of the same name.
	APIServerArgs, ControllerManagerArgs []Arg
	// Say tells a person what happens, a line a call.
	Say func(format string, args ...any)
}

// startOrder holds the components in the order in which they start; they stop
// in the reverse one.
var startOrder = []string{"etcd", "kube-apiserver", "kube-controller-manager"}

// run is one cluster while it runs.
type run struct {
	Options
	ports      Ports
	components []*component
}

// Run starts the cluster, stays until ctx ends or a component dies, and stops
// everything. It returns nil if ctx ended it, a *lockfile.HeldError if the
// folder is in use, and the reason in every other case.
//
// Call it from the main goroutine: the components live as long as its thread.
func Run(ctx context.Context, options Options) error {
	if err := options.Dir.make(); err != nil {
		return err
	}
	lock, err := lockfile.Acquire(options.Dir.Lock())
	if err != nil {
		return err
	}
	defer lock.Release()
	r := &run{Options: options}
	if err := r.prepare(); err != nil {
		return err
	}
	defer r.stop()
	begin := time.Now()
	if err := r.start(ctx); err != nil {
		return unlessAsked(ctx, err)
	}
	if err := r.announce(ctx, begin); err != nil {
		return unlessAsked(ctx, err)
	}
	return r.watch(ctx)
}

// unlessAsked drops an error that is only the echo of having been asked to stop.
func unlessAsked(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// prepare brings the folder from whatever state an earlier run left it in to
// one from which the components can start.
func (r *run) prepare() error {
	// An earlier run that was killed could not remove it.
	if err := os.Remove(r.Dir.Ready()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := r.Dir.endOrphans(r.Say); err != nil {
		return err
	}
	if r.Reset {
		if err := r.Dir.reset(); err != nil {
			return err
		}
		if err := r.Dir.make(); err != nil {
			return err
		}
	}
	before, err := r.Dir.ReadState()
	if err != nil {
		return err
	}
	if r.ports, err = choosePorts(r.Ports, before.Ports); err != nil {
		return err
	}
	if err := r.Dir.makePKI(time.Now()); err != nil {
		return err
	}
	server := loopbackURL(r.ports.APIServer)
	if err := r.Dir.writeKubeconfig(r.Dir.pki("controller-manager.kubeconfig"), server, "controller-manager"); err != nil {
		return err
	}
	return r.Dir.writeKubeconfig(r.Dir.Kubeconfig(), server, "admin")
}

// start brings the components up, each once the one before it answers.
func (r *run) start(ctx context.Context) error {
	etcd, err := r.Dir.newClient(loopbackURL(r.ports.Etcd), "etcd-ca", "etcd-client")
	if err != nil {
		return err
	}
	apiserver, err := r.Dir.newClient(loopbackURL(r.ports.APIServer), "ca", "admin")
	if err != nil {
		return err
	}
	manager, err := r.Dir.newClient(loopbackURL(r.ports.ControllerManager), "ca", "admin")
	if err != nil {
		return err
	}
	plan := map[string]struct {
		defaults, extra []Arg
		ready           func(context.Context) error
	}{
		"etcd":                    {r.Dir.etcdArgs(r.ports, r.Fsync), nil, etcd.answers("/readyz")},
		"kube-apiserver":          {r.Dir.apiserverArgs(r.ports, r.AuditPolicy), r.APIServerArgs, apiserver.apiserverReady()},
		"kube-controller-manager": {r.Dir.controllerManagerArgs(r.ports), r.ControllerManagerArgs, controllersReady(manager, apiserver)},
	}
	for _, name := range startOrder {
		begin := time.Now()
		argv := join(filepath.Join(r.Assets, name), plan[name].defaults, plan[name].extra)
		one, err := startComponent(r.Dir, name, argv)
		if err != nil {
			return err
		}
		r.components = append(r.components, one)
		if err := one.await(ctx, r.Timeout, plan[name].ready); err != nil {
			return err
		}
		r.Say("%-24s ready %s", name, seconds(time.Since(begin)))
	}
	return nil
}

// announce writes down where the cluster is, for programs and for people.
func (r *run) announce(ctx context.Context, begin time.Time) error {
	server := loopbackURL(r.ports.APIServer)
	api, err := r.Dir.newClient(server, "ca", "admin")
	if err != nil {
		return err
	}
	version, err := api.serverVersion(ctx)
	if err != nil {
		return err
	}
	state := State{APIServer: server, Etcd: loopbackURL(r.ports.Etcd), Ports: r.ports, Version: version, Started: begin}
	if err := r.Dir.writeState(state); err != nil {
		return err
	}
	if err := writeFile(r.Dir.Ready(), []byte(server+"\n"), 0o644); err != nil {
		return err
	}
	r.Say("Kubernetes %s at %s, up in %s. Ctrl-C stops it. In another terminal:\n\n  export KUBECONFIG=%s\n",
		version, server, seconds(time.Since(begin)), r.Dir.Kubeconfig())
	return nil
}

// watch returns when ctx ends, with nil, or when a component has died.
func (r *run) watch(ctx context.Context) error {
	died := make(chan *component, len(r.components))
	for _, one := range r.components {
		go func() {
			<-one.Done
			died <- one
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case one := <-died:
		return one.died()
	}
}

// stop stops the components in the reverse order of their start. `ready` goes
// first: nobody shall take a cluster for ready that is on its way down.
func (r *run) stop() {
	_ = os.Remove(r.Dir.Ready())
	begin, grace := time.Now(), stopGrace
	for _, one := range r.components {
		if one.ended() {
			grace = brokenGrace
		}
	}
	for _, one := range slices.Backward(r.components) {
		if one.stop(grace) {
			r.Say("%s did not stop within %s and was killed", one.name, grace)
		}
	}
	if len(r.components) > 0 {
		r.Say("stopped in %s", seconds(time.Since(begin)))
	}
}

func seconds(d time.Duration) string {
	return fmt.Sprintf("%.1fs", d.Seconds())
}
