// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// demoOptions are the flags of demo.
type demoOptions struct {
	strict, keep          bool
	record, check, update string
}

// demo plays the story on a stack and remembers what was not as expected.
type demo struct {
	*stack
	*narrator
	script transcript
	client client.Client // as the agent
	wrong  []string
	played int       // decisions that were awaited
	latest time.Time // when the latest action was stored, to the second
}

// runDemo is the command demo.
func runDemo(ctx context.Context, args []string) error {
	var o demoOptions
	set := flag.NewFlagSet("demo", flag.ContinueOnError)
	set.BoolVar(&o.strict, "strict", false, "play everything in strict mode")
	set.BoolVar(&o.keep, "keep", false, "leave it running afterwards, until SIGINT or SIGTERM")
	set.StringVar(&o.record, "record", "", "write what is shown to `FILE`: NAME.cast for asciinema, any other as text")
	set.StringVar(&o.check, "check", "", "fail if `PAGE`, such as README.md, does not show what the demo prints")
	set.StringVar(&o.update, "update", "", "write what the demo prints into `PAGE`")
	if err := parse(set, args); err != nil {
		return err
	}
	if err := o.checkPages(); err != nil {
		return err
	}
	root, err := checkout()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ascend-demo-")
	if err != nil {
		return err
	}
	script, err := o.run(ctx, shell{root: root, folder: folder(dir)})
	if err != nil && !errors.Is(err, context.Canceled) {
		say("logs, the audit log and the cluster's data are in %s", dir)
		return err
	}
	_ = os.RemoveAll(dir)
	if err != nil {
		return errors.New("stopped before the end")
	}
	return o.publish(script)
}

// checkPages finds out what is wrong with the pages before minutes have gone by.
func (o demoOptions) checkPages() error {
	for _, page := range []string{o.check, o.update} {
		if page == "" {
			continue
		}
		if o.strict {
			return usageError{errors.New("--strict does not go with --check and --update: pages show the normal mode")}
		}
		text, err := os.ReadFile(page)
		if err != nil {
			return err
		}
		if _, err := embedded(page, string(text)); err != nil {
			return err
		}
	}
	return nil
}

// run starts the stack, plays, and stops the stack. It returns what was told.
func (o demoOptions) run(ctx context.Context, sh shell) (*transcript, error) {
	s, err := startStack(ctx, sh, o.strict)
	defer s.stop()
	if err != nil {
		return nil, err
	}
	d := &demo{stack: s}
	d.narrator = newNarrator(os.Stdout, d.script.add)
	if d.client, err = agentClient(s.folder.identity(agentAccount)); err != nil {
		return nil, err
	}
	if err := d.play(ctx, o.strict); err != nil {
		return nil, err
	}
	if o.keep {
		err = s.leaveRunning(ctx)
	}
	return &d.script, err
}

// publish records, checks and updates as was asked.
func (o demoOptions) publish(script *transcript) error {
	if o.record != "" {
		if err := script.save(o.record); err != nil {
			return err
		}
		say("recorded in %s", o.record)
	}
	if o.update != "" {
		changed, err := updatePage(o.update, script.page())
		if err != nil {
			return err
		}
		if changed {
			say("updated %s", o.update)
		} else {
			say("%s was up to date", o.update)
		}
	}
	if o.check != "" {
		if err := checkPage(o.check, script.page()); err != nil {
			return err
		}
		say("%s shows what the demo prints", o.check)
	}
	return nil
}

// leaveRunning waits until it is asked to stop, or something dies.
func (s *stack) leaveRunning(ctx context.Context) error {
	if err := s.announce(); err != nil {
		return err
	}
	return s.watch(ctx)
}

// agentClient reads actions as the agent.
func agentClient(kubeconfig string) (client.Client, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	kinds := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(kinds); err != nil {
		return nil, err
	}
	return client.New(config, client.Options{Scheme: kinds})
}

// decisionTimeout is how long the operator may take for one decision.
const decisionTimeout = time.Minute

// await waits until an action has the decision, or until it takes too long,
// and returns its status either way.
func (d *demo) await(ctx context.Context, name string, decision v1alpha1.Decision) (*v1alpha1.AgentActionStatus, error) {
	limit, cancel := context.WithTimeout(ctx, decisionTimeout)
	defer cancel()
	var action v1alpha1.AgentAction
	err := poll(limit, func() (bool, error) {
		if d.operator.ended() {
			return false, d.operator.died()
		}
		err := d.client.Get(limit, client.ObjectKey{Namespace: agentNamespace, Name: name}, &action)
		if err != nil {
			return false, client.IgnoreNotFound(err)
		}
		got := action.Status.Decision
		return got == decision || (got.IsFinal() && !decision.IsFinal()), nil
	})
	if err != nil && limit.Err() != nil && ctx.Err() == nil {
		err = nil // what is there is compared, and found wrong
	}
	d.latest = action.CreationTimestamp.Time
	return &action.Status, err
}

// nextSecond waits until the second in which the latest action was stored is
// over. Creation times have no fractions, and lists shall have an order.
func (d *demo) nextSecond(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Until(d.latest.Add(time.Second))):
	}
}

// failure is the error that says what was not as expected.
func (d *demo) failure() error {
	if len(d.wrong) == 0 {
		return nil
	}
	return fmt.Errorf("not as expected:\n  %s\nThe end of the operator's log, %s:\n%s",
		strings.Join(d.wrong, "\n  "), filepath.Base(d.operator.log), lastLines(d.operator.log, 10))
}
