// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// requestError is a request to the API server that failed. Its text says what
// was wrong, where, and what to do next.
type requestError struct {
	text string
	err  error
}

func (e *requestError) Error() string { return e.text }
func (e *requestError) Unwrap() error { return e.err }

// Failed turns the error of a request into one for people; nil stays nil.
// Doing says what the request was for, such as "list actions in namespace default".
func (s *Session) Failed(err error, doing string) error {
	if err == nil {
		return nil
	}
	return &requestError{text: s.describe(err, doing), err: err}
}

func (s *Session) describe(err error, doing string) string {
	message := terminal.Safe(err.Error())
	refused, isRefused := Refusal(err)
	var unreachable *url.Error
	switch {
	case isRefused:
		return fmt.Sprintf("cannot %s: %s", doing, refused)
	case strings.Contains(message, "failed calling webhook"):
		return fmt.Sprintf("cannot %s: %s\nThe operator has to look at it and does not answer: kubectl get pods -n %s", doing, message, v1alpha1.GlobalNamespace)
	case errors.Is(err, context.Canceled):
		return "interrupted; could not " + doing
	case IsKindMissing(err):
		return fmt.Sprintf("cannot %s: %s does not know the kinds of Ascend Operator\nInstall the operator's CRDs there, or choose another cluster with --context or --kubeconfig", doing, s.Cluster())
	case apierrors.IsUnauthorized(err) && s.fromEnvironment():
		return fmt.Sprintf("cannot %s: %s does not accept the token in %s\nIt may have expired. Whoever manages the agent makes another, outside of this environment: ascend agents token NAME\nOr choose a user of your kubeconfig with --context", doing, s.Cluster(), EnvKey)
	case apierrors.IsUnauthorized(err):
		return fmt.Sprintf("cannot %s: %s does not accept your credentials\nLog in again, or choose others with --context, --user or --token", doing, s.Cluster())
	case apierrors.IsForbidden(err):
		return fmt.Sprintf("cannot %s: %s\nWhoever administers the cluster or the namespace can grant that: docs/access-control.md says which role has it. Another namespace is chosen with -n%s", doing, message, s.WhoHint())
	case IsCut(err):
		return fmt.Sprintf("cannot %s: the connection to %s broke off in the middle of the answer\nRun the command again; -v 6 shows how far it came", doing, s.Cluster())
	case errors.As(err, &unreachable):
		return fmt.Sprintf("cannot %s: cannot reach %s: %s\nIs it running? Another cluster is chosen with --context or --kubeconfig", doing, s.Cluster(), terminal.Safe(unreachable.Err.Error()))
	default:
		return fmt.Sprintf("cannot %s: %s", doing, message)
	}
}

// WhoHint reminds of who one is, where that is easily forgotten; otherwise it is
// empty. It begins on a line of its own.
func (s *Session) WhoHint() string {
	if !s.fromEnvironment() {
		return ""
	}
	return "\nYou are the agent of " + EnvKey + "; to be yourself, choose your kubeconfig with --context, or unset " + EnvKey + " and " + EnvURL
}

// IsCut says whether a connection was cut after the answer had begun.
func IsCut(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		strings.Contains(err.Error(), "unexpected error when reading response body") // client-go does not wrap what it was
}

// Refusal is what admission said when it refused a request, without the words
// that the API server puts before it, and safe for the terminal, line by line.
func Refusal(err error) (text string, refused bool) {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		return "", false
	}
	for _, before := range []string{`" denied the request: `, `' denied request: `} { // of a webhook, of a policy
		if _, said, found := strings.Cut(status.Status().Message, before); found {
			lines := strings.Split(said, "\n")
			for i := range lines {
				lines[i] = terminal.Safe(lines[i])
			}
			return strings.Join(lines, "\n"), true
		}
	}
	return "", false
}

// Cluster names the cluster by its address and by where that is configured.
func (s *Session) Cluster() string {
	config, err := s.Config()
	if err != nil {
		return "the cluster (" + s.origin() + ")"
	}
	return fmt.Sprintf("the cluster at %s (%s)", terminal.Safe(config.Host), s.origin())
}

// IsKindMissing says whether the API server has no such kind, in contrast to
// no such object: it then answers with a page instead of a Status, which
// client-go notes as a cause.
func IsKindMissing(err error) bool {
	return apierrors.IsNotFound(err) && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// warningPrinter prints the warnings of the API server, each once.
type warningPrinter struct {
	out io.Writer

	mu   sync.Mutex
	told map[string]bool
}

// HandleWarningHeader prints one warning; code 299 is the only one in use.
func (w *warningPrinter) HandleWarningHeader(code int, _, message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if code != 299 || message == "" || w.told[message] {
		return
	}
	if w.told == nil {
		w.told = map[string]bool{}
	}
	w.told[message] = true
	fmt.Fprintf(w.out, "warning: %s\n", terminal.Safe(message))
}

// PrintError prints an error to stderr, as the program does at its end.
func (s *Session) PrintError(err error) {
	fmt.Fprintln(s.ErrOut, s.hung("error: "+err.Error()))
}
