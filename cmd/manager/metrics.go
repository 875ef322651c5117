// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// metricsOptions serve plainly to this machine, and to others by TLS after the
// API server has said who they are and that they may.
func metricsOptions(address string) metricsserver.Options {
	if address == "0" || loopback(address) {
		return metricsserver.Options{BindAddress: address}
	}
	return metricsserver.Options{BindAddress: address, SecureServing: true, FilterProvider: askAPIServer}
}

var (
	errNoToken   = errors.New("a bearer token is needed")
	errBadToken  = errors.New("the bearer token is not valid")
	errForbidden = errors.New("the verb get on this path is needed")
)

// askAPIServer lets through who has a valid token and the verb get on the
// path. It asks by TokenReview and SubjectAccessReview, and needs the role
// config/rbac/metrics_auth_role.yaml.
//
// The filters of controller-runtime do the same by way of the whole API server
// library, with its caches and some forty modules; two requests a scrape are
// cheaper than those.
func askAPIServer(config *rest.Config, httpClient *http.Client) (metricsserver.Filter, error) {
	reviews, err := client.New(config, client.Options{HTTPClient: httpClient, Scheme: clientgoscheme.Scheme})
	if err != nil {
		return nil, fmt.Errorf("prepare the check of who reads metrics: %w", err)
	}
	return func(log logr.Logger, handler http.Handler) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			switch err := mayGet(request, reviews); {
			case err == nil:
				handler.ServeHTTP(w, request)
			case errors.Is(err, errNoToken), errors.Is(err, errBadToken):
				http.Error(w, err.Error(), http.StatusUnauthorized)
			case errors.Is(err, errForbidden):
				http.Error(w, err.Error(), http.StatusForbidden)
			default:
				log.Error(err, "Cannot tell who reads the metrics")
				http.Error(w, "the API server cannot be asked who you are", http.StatusInternalServerError)
			}
		}), nil
	}, nil
}

// mayGet returns nil for who may read the path of the request.
func mayGet(request *http.Request, reviews client.Client) error {
	token, isBearer := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
	if !isBearer || token == "" {
		return errNoToken
	}
	who := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	if err := reviews.Create(request.Context(), who); err != nil {
		return fmt.Errorf("review a token: %w", err)
	}
	if !who.Status.Authenticated {
		return errBadToken
	}
	user := who.Status.User
	extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
	for key, values := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(values)
	}
	may := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: request.URL.Path, Verb: "get"},
	}}
	if err := reviews.Create(request.Context(), may); err != nil {
		return fmt.Errorf("review access: %w", err)
	}
	if !may.Status.Allowed {
		return errForbidden
	}
	return nil
}
