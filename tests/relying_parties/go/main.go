// An app as most apps in Go are: golang.org/x/oauth2, which tries both ways of client authentication, and go-oidc.
//
// By environment: ISSUER, CLIENT_ID, CLIENT_SECRET, PORT, and USERINFO if the address was typed by hand.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

var (
	verifier = oauth2.GenerateVerifier()
	token    *oauth2.Token
)

func main() {
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, os.Getenv("ISSUER"))
	if err != nil {
		log.Fatal(err)
	}
	base := "http://localhost:" + os.Getenv("PORT")
	config := oauth2.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		Endpoint:     provider.Endpoint(),
		RedirectURL:  base + "/callback",
		Scopes:       []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess},
	}

	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { show(w, map[string]any{}) })
	http.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)), http.StatusFound)
	})
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		token, err = config.Exchange(ctx, r.URL.Query().Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			fail(w, err)
			return
		}
		idToken, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(ctx, token.Extra("id_token").(string))
		if err != nil {
			fail(w, err)
			return
		}
		userinfo(w, &config, idToken.Subject)
	})
	http.HandleFunc("/refresh", func(w http.ResponseWriter, r *http.Request) {
		before := *token
		token.Expiry = time.Unix(1, 0)
		if token, err = config.TokenSource(ctx, token).Token(); err != nil {
			fail(w, err)
			return
		}
		show(w, map[string]any{"changed": token.AccessToken != before.AccessToken && token.RefreshToken != before.RefreshToken})
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

func userinfo(w http.ResponseWriter, config *oauth2.Config, subject string) {
	address := os.Getenv("USERINFO")
	response, err := config.Client(context.Background(), token).Get(address)
	if err != nil {
		fail(w, err)
		return
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		w.WriteHeader(http.StatusInternalServerError)
		show(w, map[string]any{"problem": "userinfo request failed: " + string(body)})
		return
	}
	claims := map[string]any{}
	if err := json.Unmarshal(body, &claims); err != nil {
		fail(w, err)
		return
	}
	show(w, map[string]any{"subject": subject, "userinfo": claims})
}

func fail(w http.ResponseWriter, err error) {
	w.WriteHeader(http.StatusInternalServerError)
	show(w, map[string]any{"problem": err.Error()})
}

func show(w http.ResponseWriter, body map[string]any) {
	json.NewEncoder(w).Encode(body)
}
