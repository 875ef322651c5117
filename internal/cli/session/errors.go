// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

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
	case apierrors.IsUnauthorized(err):
		return fmt.Sprintf("cannot %s: %s does not accept your credentials\nLog in again, or choose others with --context, --user or --token", doing, s.Cluster())
	case apierrors.IsForbidden(err):
		return fmt.Sprintf("cannot %s: %s\nIf it is a permission that is missing, whoever administers the namespace can grant it; another namespace is chosen with -n", doing, message)
	case errors.As(err, &unreachable):
		return fmt.Sprintf("cannot %s: cannot reach %s: %s\nIs it running? Another cluster is chosen with --context or --kubeconfig", doing, s.Cluster(), terminal.Safe(unreachable.Err.Error()))
	default:
		return fmt.Sprintf("cannot %s: %s", doing, message)
	}
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
	config, err := s.Flags.ToRESTConfig()
	if err != nil {
		return "the cluster (kubeconfig: " + s.Kubeconfig() + ")"
	}
	return fmt.Sprintf("the cluster at %s (kubeconfig: %s)", terminal.Safe(config.Host), s.Kubeconfig())
}

// IsKindMissing says whether the API server has no such kind, in contrast to
// no such object: it then answers with a page instead of a Status, which
// client-go notes as a cause.
func IsKindMissing(err error) bool {
	return apierrors.IsNotFound(err) && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// warningPrinter prints the warnings of the API server.
type warningPrinter struct{ out io.Writer }

// HandleWarningHeader prints one warning; code 299 is the only one in use.
func (w warningPrinter) HandleWarningHeader(code int, _, message string) {
	if code == 299 && message != "" {
		fmt.Fprintf(w.out, "warning: %s\n", terminal.Safe(message))
	}
}

// PrintError prints an error to stderr, as the program does at its end.
func (s *Session) PrintError(err error) {
	fmt.Fprintf(s.ErrOut, "error: %v\n", err)
}
