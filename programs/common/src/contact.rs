//! Whom to tell of a hole: in every binary, in the form that explorers and `query-security-txt` look for.

/// Writes the contact into the program that calls it, once and under its `name`. Whoever deploys a network of its own
/// puts its own values here, the one place that has them: `ionet deploy` and `ionet network` read them from binaries.
#[macro_export]
macro_rules! contact {
    ($name:literal) => {
        // A program that another links keeps its own to itself.
        #[cfg(not(feature = "no-entrypoint"))]
        $crate::solana_security_txt::security_txt! {
            name: concat!("ionet ", $name),
            project_url: "the repository of whoever deployed it",
            contacts: "other:Report a vulnerability, on the Security page of that repository",
            policy: "SECURITY.md there",
            preferred_languages: "en",
            auditors: "None"
        }
    };
}
